using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Recipes.Emoji;

/// <summary>A stage that measures itself on held-out data.</summary>
public interface IMeasuredStage
{
    EmojiMeasures Measures { get; }
}

/// <summary>What a stage measures on held-out data as it goes on: <c>held-out.jsonl</c> of its run folder.</summary>
public sealed class EmojiMeasures(string folder)
{
    /// <summary>The measure that every stage has; lower is better.</summary>
    public const string Loss = "loss";

    private readonly string _path = Path.Combine(folder, "held-out.jsonl");

    /// <summary>Adds a line.</summary>
    public void Add(long step, IReadOnlyDictionary<string, double> values) => File.AppendAllText(_path, JsonSerializer.Serialize(new Dictionary<string, double>(values) { ["step"] = step }) + "\n");

    /// <summary>Removes what was measured beyond the step that is resumed from.</summary>
    public void CutAfter(long step)
    {
        if (File.Exists(_path))
            AtomicFile.WriteText(_path, string.Concat(Read().Where(line => line["step"] <= step).Select(line => JsonSerializer.Serialize(line) + "\n")));
    }

    /// <summary>The first and the last loss.</summary>
    public (double First, double Last) Losses() => Read() is { Count: > 0 } lines ? (lines[0][Loss], lines[^1][Loss]) : (double.NaN, double.NaN);

    /// <summary>Every whole line so far.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, double>> Read()
    {
        var lines = new List<IReadOnlyDictionary<string, double>>();
        foreach (var line in File.Exists(_path) ? File.ReadAllLines(_path) : [])
            try
            {
                lines.Add(JsonSerializer.Deserialize<Dictionary<string, double>>(line)!);
            }
            catch (JsonException)
            {
                break; // the line that a killed run was writing
            }
        return lines;
    }
}
