using System.Text;
using System.Text.Json;

namespace Bruma.Text;

/// <summary>The rules of tokenizer.json by which a text is cut into stretches that tokens do not cross.</summary>
internal static class PreTokenizers
{
    /// <summary>How GPT-2 cuts: contractions, words with the blank before them, numbers, other signs, white space.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <returns>A function of a stretch and whether it is at the beginning of the text.</returns>
    /// <exception cref="BrumaException">A rule that Bruma does not implement.</exception>
    public static Func<string, bool, IEnumerable<string>> Create(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null)
            return (text, _) => [text];
        var type = json.Text("type");
        switch (type)
        {
            case "Sequence":
                var steps = json.GetProperty("pretokenizers").EnumerateArray().Select(Create).ToArray();
                return (text, first) => steps.Aggregate((IEnumerable<string>)[text], (parts, step) => [.. parts.SelectMany((part, i) => step(part, first && i == 0))]);
            case "ByteLevel":
                return ByteLevel(json.Flag("add_prefix_space", true), json.Flag("use_regex", true));
            case "Metaspace":
                return Metaspace(json);
            case "Split":
                return Split(json);
            case "BertPreTokenizer":
                return (text, _) => Bert(text);
            case "Whitespace":
                return Matching(new CodePointPattern(@"\w+|[^\w\s]+"));
            case "WhitespaceSplit":
                return Matching(new CodePointPattern(@"\S+"));
            case "Punctuation":
                return (text, _) => Cut(text, [.. SingleRunes(text, UnicodeText.IsPunctuation)], json.OptionalText("behavior") ?? "Isolated");
            case "Digits":
                return Isolating(new CodePointPattern(json.Flag("individual_digits", false) ? @"\p{N}" : @"\p{N}+"));
            default:
                throw new BrumaException($"the pre-tokenizer \"{type}\" is not implemented");
        }
    }

    public static Func<string, bool, IEnumerable<string>> ByteLevel(bool prefixSpace, bool useRegex)
    {
        var pattern = useRegex ? new CodePointPattern(Gpt2) : null;
        return (text, _) =>
        {
            if (prefixSpace && !text.StartsWith(' '))
                text = " " + text;
            return pattern is null ? [ByteAlphabet.Encode(text)] : Cut(text, [.. pattern.Matches(text)], "Isolated").Select(ByteAlphabet.Encode);
        };
    }

    /// <summary>BERT's words and signs: white space goes, each punctuation mark stands alone.</summary>
    public static IEnumerable<string> Bert(string text)
    {
        var word = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            var alone = UnicodeText.IsPunctuation(rune);
            if ((alone || UnicodeText.IsWhite(rune)) && word.Length > 0)
            {
                yield return word.ToString();
                word.Clear();
            }
            if (alone)
                yield return rune.ToString();
            else if (!UnicodeText.IsWhite(rune))
                word.Append(rune.ToString());
        }
        if (word.Length > 0)
            yield return word.ToString();
    }

    private static Func<string, bool, IEnumerable<string>> Matching(CodePointPattern pattern) => (text, _) => pattern.Matches(text).Select(range => text[range]);

    private static Func<string, bool, IEnumerable<string>> Isolating(CodePointPattern pattern) => (text, _) => Cut(text, [.. pattern.Matches(text)], "Isolated");

    private static Func<string, bool, IEnumerable<string>> Metaspace(JsonElement json)
    {
        var mark = json.OptionalText("replacement") ?? "▁";
        var scheme = json.OptionalText("prepend_scheme") ?? (json.Flag("add_prefix_space", true) ? "always" : "never");
        var split = json.Flag("split", true);
        return (text, first) =>
        {
            text = text.Replace(" ", mark, StringComparison.Ordinal);
            if ((scheme == "always" || scheme == "first" && first) && !text.StartsWith(mark, StringComparison.Ordinal))
                text = mark + text;
            return split ? Cut(text, [.. Literals(text, mark)], "MergedWithNext") : [text];
        };
    }

    private static Func<string, bool, IEnumerable<string>> Split(JsonElement json)
    {
        var (pattern, behavior, invert) = (json.GetProperty("pattern"), json.Text("behavior"), json.Flag("invert", false));
        Func<string, IEnumerable<Range>> find = pattern.OptionalText("String") is { } literal
            ? text => Literals(text, literal)
            : new CodePointPattern(pattern.Text("Regex")).Matches;
        return (text, _) => Cut(text, invert ? [.. Between(text, find(text))] : [.. find(text)], behavior);
    }

    /// <summary>Cuts at the delimiters.</summary>
    /// <param name="behavior">What becomes of them: Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous.</param>
    private static IEnumerable<string> Cut(string text, Range[] delimiters, string behavior)
    {
        var parts = new List<(int Start, int End, bool Delimiter)>();
        var at = 0;
        foreach (var range in delimiters)
        {
            if (range.Start.Value > at)
                parts.Add((at, range.Start.Value, false));
            parts.Add((range.Start.Value, at = range.End.Value, true));
        }
        if (at < text.Length)
            parts.Add((at, text.Length, false));
        return behavior switch
        {
            "Removed" => parts.Where(part => !part.Delimiter).Select(part => text[part.Start..part.End]),
            "Isolated" => parts.Select(part => text[part.Start..part.End]),
            "MergedWithPrevious" => Joined(text, parts, (before, part) => part.Delimiter && !before.Delimiter),
            "MergedWithNext" => Joined(text, parts, (before, part) => before.Delimiter && !part.Delimiter),
            "Contiguous" => Joined(text, parts, (before, part) => before.Delimiter == part.Delimiter),
            _ => throw new BrumaException($"the pre-tokenizer's behavior \"{behavior}\" is not implemented"),
        };
    }

    private static IEnumerable<string> Joined(string text, List<(int Start, int End, bool Delimiter)> parts, Func<(int Start, int End, bool Delimiter), (int Start, int End, bool Delimiter), bool> joins)
    {
        for (int i = 0, start; i < parts.Count; i++)
        {
            start = parts[i].Start;
            while (i + 1 < parts.Count && joins(parts[i], parts[i + 1]))
                i++;
            yield return text[start..parts[i].End];
        }
    }

    private static IEnumerable<Range> Literals(string text, string literal)
    {
        for (var at = literal.Length == 0 ? -1 : text.IndexOf(literal, StringComparison.Ordinal); at >= 0; at = text.IndexOf(literal, at + literal.Length, StringComparison.Ordinal))
            yield return at..(at + literal.Length);
    }

    private static IEnumerable<Range> SingleRunes(string text, Func<Rune, bool> wanted)
    {
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (wanted(rune))
                yield return at..(at + rune.Utf16SequenceLength);
            at += rune.Utf16SequenceLength;
        }
    }

    private static IEnumerable<Range> Between(string text, IEnumerable<Range> matches)
    {
        var at = 0;
        foreach (var match in matches)
        {
            if (match.Start.Value > at)
                yield return at..match.Start.Value;
            at = match.End.Value;
        }
        if (at < text.Length)
            yield return at..text.Length;
    }
}
