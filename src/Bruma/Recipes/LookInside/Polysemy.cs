using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Recipes.LookInside;

/// <summary>A word in a sentence, in one of its senses.</summary>
public sealed record WordUse(string Word, string Sense, string Sentence);

/// <summary>Words of several meanings in sentences.</summary>
public static class Polysemy
{
    /// <summary>Five English words of two senses, six sentences each.</summary>
    public static IReadOnlyList<WordUse> Examples { get; } =
    [
        .. Uses("bank", "money", "She deposited the check at the bank.", "The bank raised its interest rates.", "He asked the bank for a loan.", "The bank closed my account.", "Our bank charges a fee for transfers.", "They robbed the bank at noon."),
        .. Uses("bank", "river", "We had a picnic on the river bank.", "The bank of the stream was muddy.", "A heron stood on the bank of the lake.", "The boat drifted toward the left bank.", "Willows grow along the bank.", "The flood washed away the bank."),
        .. Uses("bat", "animal", "The bat flew out of the cave at night.", "A bat hangs upside down to sleep.", "The bat eats insects.", "We saw a bat under the roof of the barn.", "A fruit bat has large wings.", "The bat finds its way by echoes."),
        .. Uses("bat", "club", "He swung the bat and hit the ball.", "The player broke his bat.", "She bought a wooden bat for baseball.", "Hold the bat with both hands.", "The batter dropped the bat and ran.", "A cricket bat is flat on one side."),
        .. Uses("spring", "season", "The flowers bloom in spring.", "Spring comes after winter.", "We plant tomatoes in late spring.", "Birds return every spring.", "It was a warm day in spring.", "The spring term starts in March."),
        .. Uses("spring", "coil", "The metal spring in the mattress broke.", "The spring pushes the lever back.", "A spring stores energy when it is compressed.", "Replace the spring of the lock.", "The clock is driven by a coiled spring.", "He stretched the spring until it bent."),
        .. Uses("mouse", "animal", "The mouse ate the cheese.", "A cat caught the mouse.", "The mouse hid in a hole in the wall.", "We heard a mouse in the attic.", "A field mouse gathers seeds.", "The owl swallowed the mouse."),
        .. Uses("mouse", "device", "Click the left button of the mouse.", "My mouse needs a new battery.", "Move the mouse to the corner of the screen.", "The laptop came with a wireless mouse.", "Plug the mouse into a free port.", "Drag the icon with the mouse."),
        .. Uses("crane", "bird", "A crane waded through the marsh.", "The crane has long legs and a long neck.", "We watched a crane catch a fish.", "The crane flew south with its flock.", "A white crane danced in the snow.", "The crane laid two eggs in the reeds."),
        .. Uses("crane", "machine", "The crane lifted the steel beam.", "A crane unloads containers at the port.", "The operator climbed into the crane.", "They rented a crane to build the tower.", "The crane can carry twenty tons.", "A crane collapsed at the construction site."),
    ];

    /// <summary>Reads lines of JSON with <c>word</c>, <c>sense</c> and <c>sentence</c>.</summary>
    /// <exception cref="BrumaException">The file is missing, a row lacks something, or a word has one sense only.</exception>
    public static IReadOnlyList<WordUse> Read(string path)
    {
        if (!File.Exists(path))
            throw new BrumaException($"{path}: no such file.");
        var uses = File.ReadLines(path).Select((line, i) => Row(path, i + 1, line)).ToList();
        if (uses.GroupBy(use => use.Word).FirstOrDefault(word => word.Select(use => use.Sense).Distinct().Count() < 2) is { } single)
            throw new BrumaException($"{path}: the word \"{single.Key}\" has one sense only; give sentences of two senses or more.");
        return uses.Count > 0 ? uses : throw new BrumaException($"{path}: holds no row.");
    }

    private static WordUse Row(string path, int number, string line)
    {
        try
        {
            using var json = PythonJson.Parse(System.Text.Encoding.UTF8.GetBytes(line));
            string Field(string name) => json.RootElement.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text ? text : throw new BrumaException($"{path}, row {number}: has no \"{name}\".");
            return new WordUse(Field("word"), Field("sense"), Field("sentence"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new BrumaException($"{path}, row {number}: no JSON object on this line; expected {{\"word\": ..., \"sense\": ..., \"sentence\": ...}}.", e);
        }
    }

    private static IEnumerable<WordUse> Uses(string word, string sense, params string[] sentences) => sentences.Select(sentence => new WordUse(word, sense, sentence));
}
