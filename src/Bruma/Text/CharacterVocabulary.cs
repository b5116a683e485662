using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bruma.Hub;

namespace Bruma.Text;

/// <summary>A token for each character, behind padding, begin, end and unknown.</summary>
public sealed class CharacterVocabulary
{
    public const int PadId = 0;
    public const int BosId = 1;
    public const int EosId = 2;
    public const int UnknownId = 3;

    private const string File = "characters.json";
    private readonly string[] _characters;
    private readonly Dictionary<string, int> _ids;

    /// <param name="characters">Each once; ids follow the order.</param>
    public CharacterVocabulary(IEnumerable<string> characters)
    {
        _characters = [.. characters];
        _ids = _characters.Select((character, i) => (character, i)).ToDictionary(pair => pair.character, pair => UnknownId + 1 + pair.i, StringComparer.Ordinal);
    }

    public int Size => UnknownId + 1 + _characters.Length;

    public IReadOnlyList<string> Characters => _characters;

    /// <summary>The characters of texts, in the order of their code points.</summary>
    public static CharacterVocabulary Of(IEnumerable<string> texts) =>
        new(texts.SelectMany(text => text.EnumerateRunes()).Distinct().Order().Select(rune => rune.ToString()));

    /// <summary>Whether the folder holds such a vocabulary.</summary>
    public static bool IsIn(string folder) => System.IO.File.Exists(Path.Combine(folder, File));

    /// <exception cref="BrumaException">The file is missing or malformed.</exception>
    public static CharacterVocabulary Load(string folder)
    {
        var path = Path.Combine(folder, File);
        using var json = PythonJson.ParseFile(path);
        if (!json.RootElement.TryGetProperty("characters", out var characters) || characters.ValueKind != JsonValueKind.Array || characters.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            throw new BrumaException($"{path}: has no list \"characters\"; the file does not belong to a model that Bruma trained on characters.");
        return new CharacterVocabulary(characters.EnumerateArray().Select(item => item.GetString()!));
    }

    public void Save(string folder) =>
        AtomicFile.WriteText(Path.Combine(folder, File), new JsonObject { ["characters"] = new JsonArray(_characters.Select(character => (JsonNode)character).ToArray()) }.ToJsonString(ReadableJson.Options) + "\n");

    /// <summary>One id for each character.</summary>
    public IReadOnlyList<long> Encode(string text) => [.. text.EnumerateRunes().Select(rune => (long)_ids.GetValueOrDefault(rune.ToString(), UnknownId))];

    /// <summary>The text up to the end token; padding and begin are left out, unknown is U+FFFD.</summary>
    public string Decode(IEnumerable<long> ids)
    {
        var text = new StringBuilder();
        foreach (var id in ids.TakeWhile(id => id != EosId).Where(id => id is not (PadId or BosId)))
            text.Append(id is > UnknownId && id < Size ? _characters[id - UnknownId - 1] : "\uFFFD");
        return text.ToString();
    }
}
