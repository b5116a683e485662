using System.Text.Json;

namespace Bruma.Hub;

/// <summary>JSON as Python writes it: the bare words NaN, Infinity and -Infinity, which JSON does not know, become strings.</summary>
/// <remarks>Records read such values with <see cref="System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals"/>.</remarks>
public static class PythonJson
{
    private static readonly byte[][] Words = [.. new[] { "-Infinity", "Infinity", "NaN" }.Select(System.Text.Encoding.ASCII.GetBytes)];

    public static JsonDocument Parse(ReadOnlySpan<byte> json) => JsonDocument.Parse(Quoted(json));

    /// <exception cref="BrumaException">The file is missing or no JSON object.</exception>
    public static JsonDocument ParseFile(string path)
    {
        try
        {
            var document = Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new BrumaException($"{path}: holds a JSON {document.RootElement.ValueKind} where an object was expected.");
            return document;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BrumaException($"{path}: no such file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BrumaException($"{path}: cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
        catch (JsonException e)
        {
            throw new BrumaException($"{path}: not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}; download it again or correct it there.", e);
        }
    }

    /// <summary>A number, or one of the three words.</summary>
    public static double GetNumber(this JsonElement element) => element.ValueKind == JsonValueKind.String
        ? element.GetString() switch
        {
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            "NaN" => double.NaN,
            var text => throw new FormatException($"\"{text}\" is no number"),
        }
        : element.GetDouble();

    private static byte[] Quoted(ReadOnlySpan<byte> json)
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        var result = new List<byte>(json.Length + 64);
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            if (inString && json[i] == '\\' && i + 1 < json.Length)
                result.Add(json[i++]);
            else if (json[i] == '"')
                inString = !inString;
            else if (!inString && (json[i] is (byte)'-' or (byte)'I' or (byte)'N') && WordAt(json[i..]) is { } word)
            {
                result.AddRange([(byte)'"', .. word, (byte)'"']);
                i += word.Length - 1;
                continue;
            }
            result.Add(json[i]);
        }
        return [.. result];
    }

    private static byte[]? WordAt(ReadOnlySpan<byte> json)
    {
        foreach (var word in Words)
            if (json.StartsWith(word))
                return word;
        return null;
    }
}
