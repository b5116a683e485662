using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Data;

/// <summary>A text, or two, with its label.</summary>
/// <param name="Pair">The second text of a pair; null for none.</param>
/// <param name="Label">A class, or a number for pairs with a degree.</param>
/// <param name="Origin">File and row, for messages.</param>
public sealed record LabelledText(string Text, string? Pair, string Label, string Origin);

/// <summary>Reads labelled texts: JSON lines, CSV or TSV with a header, or a folder of one text file per example and one folder per class.</summary>
public static class LabelledTexts
{
    private static readonly string[] TextNames = ["text", "sentence", "sentence1", "sentence_1", "text1", "text_a", "premise", "question1", "review", "content"];
    private static readonly string[] PairNames = ["pair", "sentence2", "sentence_2", "text2", "text_b", "hypothesis", "question2"];
    private static readonly string[] LabelNames = ["label", "class", "category", "score", "similarity", "target", "section"];

    /// <exception cref="BrumaException">The file or folder is missing, a row has no text or no label, or nothing is there.</exception>
    public static IReadOnlyList<LabelledText> Read(string path)
    {
        var rows = Directory.Exists(path) ? Folder(path)
            : !File.Exists(path) ? throw new BrumaException($"{path}: no such file or folder; give .jsonl, .csv, .tsv, or a folder with a folder of .txt files per class.")
            : Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".jsonl" or ".ndjson" => Lines(path),
                ".csv" => Table(path, ','),
                ".tsv" or ".tab" => Table(path, '\t'),
                var other => throw new BrumaException($"{path}: \"{other}\" is no format of labelled texts; expected .jsonl, .csv or .tsv."),
            };
        var all = rows.ToList();
        return all.Count > 0 ? all : throw new BrumaException($"{path}: holds no example; expected rows with a text and a label.");
    }

    private static IEnumerable<LabelledText> Lines(string path)
    {
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                throw new BrumaException($"{path}, row {number}: the line is empty; remove it.");
            var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            try
            {
                using var json = PythonJson.Parse(System.Text.Encoding.UTF8.GetBytes(line));
                foreach (var field in json.RootElement.EnumerateObject().Where(field => field.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False))
                    fields[field.Name] = field.Value.ToString();
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                throw new BrumaException($"{path}, row {number}: no JSON object on this line; expected {{\"text\": ..., \"label\": ...}}.", e);
            }
            yield return Row(path, number, fields);
        }
    }

    private static IEnumerable<LabelledText> Table(string path, char separator)
    {
        string[]? header = null;
        foreach (var (number, cells) in SeparatedValues.Read(path, separator))
        {
            if (header is null)
            {
                header = [.. cells.Select(cell => cell.Trim())];
                if (!header.Any(name => TextNames.Contains(name, StringComparer.OrdinalIgnoreCase)))
                    throw new BrumaException($"{path}, row {number}: the header is \"{string.Join(separator, header)}\"; expected a column \"text\" (or \"sentence1\" and \"sentence2\") and a column \"label\".");
                continue;
            }
            if (cells is [""])
                throw new BrumaException($"{path}, row {number}: the line is empty; remove it.");
            if (cells.Count != header.Length)
                throw new BrumaException($"{path}, row {number}: has {cells.Count} cells where the header has {header.Length}; put texts that hold the separator in quotes.");
            var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            for (var i = 0; i < header.Length; i++)
                fields[header[i]] = cells[i];
            yield return Row(path, number, fields);
        }
    }

    private static IEnumerable<LabelledText> Folder(string path)
    {
        foreach (var folder in Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal))
            foreach (var file in Directory.EnumerateFiles(folder, "*.txt").Order(StringComparer.Ordinal))
            {
                var text = File.ReadAllText(file).Trim();
                yield return text.Length > 0 ? new LabelledText(text, null, Path.GetFileName(folder), file) : throw new BrumaException($"{file}: the text is empty; remove the file.");
            }
    }

    private static LabelledText Row(string path, int number, Dictionary<string, string> fields)
    {
        var origin = $"{path}, row {number}";
        var text = Field(TextNames) ?? throw new BrumaException($"{origin}: has no \"text\"; it has {(fields.Count == 0 ? "nothing" : string.Join(", ", fields.Keys))}.");
        if (string.IsNullOrWhiteSpace(text))
            throw new BrumaException($"{origin}: the text is empty; remove the row or fill it.");
        var label = Field(LabelNames);
        return string.IsNullOrWhiteSpace(label)
            ? throw new BrumaException($"{origin}: has no \"label\"; every row needs one.")
            : new LabelledText(text, Field(PairNames), label, origin);

        string? Field(string[] names) => Array.Find(names, fields.ContainsKey) is { } name ? fields[name] : null;
    }
}
