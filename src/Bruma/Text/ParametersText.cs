using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Bruma.Text;

/// <summary>The text that A1111, stable-diffusion.cpp and Bruma write into pictures: prompt, negative prompt, then "Steps: 20, Sampler: Euler a, ..." on the last line.</summary>
/// <param name="Values">In order; names may be missing or unknown.</param>
public sealed partial record ParametersText(string Prompt, string NegativePrompt, IReadOnlyList<KeyValuePair<string, string>> Values)
{
    private const string Negative = "Negative prompt:";
    private const int FewestValues = 3; // on a last line of values; fewer are text

    private static readonly JsonSerializerOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The value of a name; null where there is none.</summary>
    public string? this[string name] => Values.FirstOrDefault(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>Reads any text: what is no line of values is prompt.</summary>
    public static ParametersText Parse(string text)
    {
        var lines = text.Trim().ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim()).ToList();
        var values = ReadValues(lines[^1]);
        if (values.Count >= FewestValues)
            lines.RemoveAt(lines.Count - 1);
        else
            values = [];
        var negative = lines.FindIndex(line => line.StartsWith(Negative, StringComparison.Ordinal));
        if (negative < 0)
            return new ParametersText(string.Join('\n', lines), "", values);
        lines[negative] = lines[negative][Negative.Length..].Trim();
        return new ParametersText(string.Join('\n', lines[..negative]), string.Join('\n', lines[negative..]), values);
    }

    public override string ToString()
    {
        var negative = NegativePrompt.Length == 0 ? "" : $"\n{Negative} {NegativePrompt}";
        return $"{Prompt}{negative}\n{string.Join(", ", Values.Select(pair => $"{pair.Key}: {Quoted(pair.Value)}"))}";
    }

    private static List<KeyValuePair<string, string>> ReadValues(string line)
    {
        var values = new List<KeyValuePair<string, string>>();
        if (SdCpp().Match(line) is { Success: true } tail) // its JSON is not quoted
        {
            values.Add(new(tail.Groups[1].Value, tail.Groups[2].Value));
            line = line[..tail.Index];
        }
        var read = Value().Matches(line).Select(match => KeyValuePair.Create(match.Groups[1].Value, Unquoted(match.Groups[2].Value.Trim())));
        return [.. read, .. values];
    }

    private static string Quoted(string value) => value.AsSpan().IndexOfAny(",\n:") < 0 ? value : JsonSerializer.Serialize(value, Unescaped);

    private static string Unquoted(string value)
    {
        if (value is not ['"', .., '"'])
            return value;
        try
        {
            return JsonSerializer.Deserialize<string>(value) ?? value;
        }
        catch (JsonException)
        {
            return value;
        }
    }

    [GeneratedRegex(@"\s*(\w[\w \-/]+):\s*(""(?:\\.|[^\\""])+""|[^,]*)(?:,|$)")]
    private static partial Regex Value();

    [GeneratedRegex(@",?\s*(SDCPP): (\{.*\})\s*$")]
    private static partial Regex SdCpp();
}
