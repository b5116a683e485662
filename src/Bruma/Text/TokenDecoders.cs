using System.Text;
using System.Text.Json;

namespace Bruma.Text;

/// <summary>The decoders of tokenizer.json: tokens to text.</summary>
internal static class TokenDecoders
{
    private static readonly (string Old, string New)[] Spaces =
        [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")];

    /// <exception cref="BrumaException">A decoder that Bruma does not implement.</exception>
    public static Func<IReadOnlyList<string>, string> Create(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null)
            return tokens => string.Join(' ', tokens);
        var step = Step(json);
        return tokens => string.Concat(step(tokens));
    }

    /// <summary>Removes the blanks that English does not have before punctuation.</summary>
    public static string CleanUp(string text) => Spaces.Aggregate(text, (result, pair) => result.Replace(pair.Old, pair.New, StringComparison.Ordinal));

    public static IEnumerable<string> WordPiece(IReadOnlyList<string> tokens, string prefix, bool cleanUp)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            var part = i == 0 ? tokens[i] : tokens[i].StartsWith(prefix, StringComparison.Ordinal) ? tokens[i][prefix.Length..] : " " + tokens[i];
            yield return cleanUp ? CleanUp(part.Replace(" do not", " don't", StringComparison.Ordinal)) : part;
        }
    }

    private static Func<IReadOnlyList<string>, IReadOnlyList<string>> Step(JsonElement json)
    {
        var type = json.Text("type");
        switch (type)
        {
            case "Sequence":
                var steps = json.GetProperty("decoders").EnumerateArray().Select(Step).ToArray();
                return tokens => steps.Aggregate(tokens, (result, step) => step(result));
            case "ByteLevel":
                return tokens => [ByteAlphabet.Decode(string.Concat(tokens))];
            case "WordPiece":
                var (prefix, cleanUp) = (json.OptionalText("prefix") ?? "##", json.Flag("cleanup", true));
                return tokens => [.. WordPiece(tokens, prefix, cleanUp)];
            case "Metaspace":
                var mark = json.OptionalText("replacement") ?? "▁";
                var prepends = (json.OptionalText("prepend_scheme") ?? (json.Flag("add_prefix_space", true) ? "always" : "never")) != "never";
                return tokens => [.. tokens.Select((token, i) => token.Replace(mark, i == 0 && prepends ? "" : " ", StringComparison.Ordinal))];
            case "BPEDecoder":
                var suffix = json.OptionalText("suffix") ?? "</w>";
                return tokens => [.. tokens.Select((token, i) => token.Replace(suffix, i == tokens.Count - 1 ? "" : " ", StringComparison.Ordinal))];
            case "Replace":
                var replace = TextNormalizers.Replace(json);
                return tokens => [.. tokens.Select(replace)];
            case "ByteFallback":
                return ByteFallback;
            case "Fuse":
                return tokens => [string.Concat(tokens)];
            case "Strip":
                return Strip(json.Text("content"), json.GetProperty("start").GetInt32(), json.GetProperty("stop").GetInt32());
            default:
                throw new BrumaException($"the decoder \"{type}\" is not implemented");
        }
    }

    /// <summary>Neighbouring byte tokens become the text that they encode, or U+FFFD each.</summary>
    private static List<string> ByteFallback(IReadOnlyList<string> tokens)
    {
        var (result, bytes) = (new List<string>(tokens.Count), new List<byte>());
        foreach (var token in tokens)
        {
            if (ByteAlphabet.FallbackByte(token) is { } value)
            {
                bytes.Add(value);
                continue;
            }
            Flush();
            result.Add(token);
        }
        Flush();
        return result;

        void Flush()
        {
            if (bytes.Count > 0)
                result.Add(System.Text.Unicode.Utf8.IsValid([.. bytes]) ? Encoding.UTF8.GetString([.. bytes]) : new string('\uFFFD', bytes.Count));
            bytes.Clear();
        }
    }

    private static Func<IReadOnlyList<string>, IReadOnlyList<string>> Strip(string content, int start, int stop) => tokens =>
    [
        .. tokens.Select(token =>
        {
            for (var i = 0; i < start && token.StartsWith(content, StringComparison.Ordinal); i++)
                token = token[content.Length..];
            for (var i = 0; i < stop && token.EndsWith(content, StringComparison.Ordinal); i++)
                token = token[..^content.Length];
            return token;
        }),
    ];
}
