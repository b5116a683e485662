using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Bruma.Text;

/// <summary>A regular expression over code points, as Python and Rust have it.</summary>
/// <remarks>.NET matches UTF-16 units and would see emoji and rare letters as halves; so each is matched as a stand-in of its category.</remarks>
internal sealed class CodePointPattern
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>One character below U+10000 for each category, with no case of its own where possible.</summary>
    private static readonly Dictionary<UnicodeCategory, char> StandIns = new()
    {
        [UnicodeCategory.UppercaseLetter] = '\u03D2',
        [UnicodeCategory.LowercaseLetter] = '\u0138',
        [UnicodeCategory.TitlecaseLetter] = '\u01C5',
        [UnicodeCategory.ModifierLetter] = '\u02B0',
        [UnicodeCategory.OtherLetter] = '\u05D0',
        [UnicodeCategory.NonSpacingMark] = '\u0300',
        [UnicodeCategory.SpacingCombiningMark] = '\u0903',
        [UnicodeCategory.EnclosingMark] = '\u20DD',
        [UnicodeCategory.DecimalDigitNumber] = '\u0660',
        [UnicodeCategory.LetterNumber] = '\u3007',
        [UnicodeCategory.OtherNumber] = '\u2460',
        [UnicodeCategory.MathSymbol] = '\u2200',
        [UnicodeCategory.CurrencySymbol] = '\u20A0',
        [UnicodeCategory.ModifierSymbol] = '\u02C2',
        [UnicodeCategory.OtherSymbol] = '\u2600',
        [UnicodeCategory.OtherPunctuation] = '\u2020',
        [UnicodeCategory.DashPunctuation] = '\u2E3A',
        [UnicodeCategory.Format] = '\u2060',
        [UnicodeCategory.PrivateUse] = '\uE000',
        [UnicodeCategory.OtherNotAssigned] = '\uFFFF',
    };

    private readonly Regex _regex;

    /// <exception cref="BrumaException">The pattern is none that .NET understands.</exception>
    public CodePointPattern(string pattern, bool ignoreCase = false)
    {
        try
        {
            _regex = new Regex(pattern, RegexOptions.CultureInvariant | (ignoreCase ? RegexOptions.IgnoreCase : RegexOptions.None), Limit);
        }
        catch (ArgumentException e)
        {
            throw new BrumaException($"The tokenizer's pattern \"{pattern}\" is not understood ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>The matches in the text, as ranges.</summary>
    public IEnumerable<Range> Matches(string text)
    {
        var (shadow, starts) = Shadow(text);
        foreach (Match match in _regex.Matches(shadow))
            if (match.Length > 0)
                yield return starts is null ? match.Index..(match.Index + match.Length) : starts[match.Index]..starts[match.Index + match.Length];
    }

    public string Replace(string text, string replacement)
    {
        var result = new StringBuilder();
        var end = 0;
        foreach (var match in Matches(text))
        {
            result.Append(text, end, match.Start.Value - end).Append(replacement);
            end = match.End.Value;
        }
        return result.Append(text, end, text.Length - end).ToString();
    }

    /// <summary>The text with one unit for each code point, and where each begins in the original; null where nothing had to change.</summary>
    private static (string Shadow, int[]? Starts) Shadow(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return (text, null);
        var shadow = new StringBuilder(text.Length);
        var starts = new List<int>(text.Length);
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            starts.Add(at);
            at += rune.Utf16SequenceLength;
            shadow.Append(rune.IsBmp ? (char)rune.Value : StandIns.GetValueOrDefault(Rune.GetUnicodeCategory(rune), '\u2020'));
        }
        starts.Add(at);
        return (shadow.ToString(), [.. starts]);
    }
}
