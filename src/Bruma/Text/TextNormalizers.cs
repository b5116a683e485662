using System.Text.Json;

namespace Bruma.Text;

/// <summary>The normalisers of tokenizer.json.</summary>
internal static class TextNormalizers
{
    /// <exception cref="BrumaException">A normaliser that Bruma does not implement.</exception>
    public static Func<string, string> Create(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null)
            return text => text;
        var type = json.Text("type");
        switch (type)
        {
            case "Sequence":
                var steps = json.GetProperty("normalizers").EnumerateArray().Select(Create).ToArray();
                return text => steps.Aggregate(text, (result, step) => step(result));
            case "BertNormalizer":
                return Bert(json.Flag("clean_text", true), json.Flag("handle_chinese_chars", true), json.Flag("lowercase", true), json.OptionalFlag("strip_accents"));
            case "NFC":
                return UnicodeForms.Nfc;
            case "NFD":
                return UnicodeForms.Nfd;
            case "NFKC":
                return UnicodeForms.Nfkc;
            case "NFKD":
                return UnicodeForms.Nfkd;
            case "Lowercase":
                return text => UnicodeText.Lower(text, finalSigma: false);
            case "StripAccents":
                return UnicodeText.RemoveMarks;
            case "Strip":
                var (left, right) = (json.Flag("strip_left", true), json.Flag("strip_right", true));
                return text => right ? left ? text.Trim() : text.TrimEnd() : left ? text.TrimStart() : text;
            case "Replace":
                return Replace(json);
            case "Prepend":
                var prefix = json.Text("prepend");
                return text => text.Length == 0 ? text : prefix + text;
            case "ByteLevel":
                return ByteAlphabet.Encode;
            case "Precompiled":
                return new PrecompiledNormalizer(json.GetProperty("precompiled_charsmap").GetBytesFromBase64()).Apply;
            default:
                throw new BrumaException($"the normalizer \"{type}\" is not implemented");
        }
    }

    /// <summary>The rules of BERT's tokenizers.</summary>
    /// <param name="stripAccents">Null follows <paramref name="lowercase"/>.</param>
    public static Func<string, string> Bert(bool clean, bool spaceIdeographs, bool lowercase, bool? stripAccents) => text =>
    {
        if (clean)
            text = UnicodeText.Clean(text, unassigned: false);
        if (spaceIdeographs)
            text = UnicodeText.SpaceIdeographs(text);
        if (stripAccents ?? lowercase)
            text = UnicodeText.RemoveMarks(UnicodeForms.Nfd(text));
        return lowercase ? UnicodeText.Lower(text, finalSigma: false) : text;
    };

    public static Func<string, string> Replace(JsonElement json)
    {
        var (pattern, content) = (json.GetProperty("pattern"), json.Text("content"));
        if (pattern.TryGetProperty("String", out var literal))
            return literal.GetString() is { Length: > 0 } old ? text => text.Replace(old, content, StringComparison.Ordinal) : text => text;
        var regex = new CodePointPattern(pattern.Text("Regex"));
        return text => regex.Replace(text, content);
    }
}

/// <summary>Short ways to values of tokenizer files.</summary>
internal static class TokenizerJsonValues
{
    public static string Text(this JsonElement json, string key) =>
        json.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new BrumaException($"\"{key}\" is missing or no text");

    public static string? OptionalText(this JsonElement json, string key) =>
        json.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static bool? OptionalFlag(this JsonElement json, string key) =>
        json.TryGetProperty(key, out var value) && value.ValueKind is (JsonValueKind.True or JsonValueKind.False) ? value.GetBoolean() : null;

    public static bool Flag(this JsonElement json, string key, bool missing) => json.OptionalFlag(key) ?? missing;
}
