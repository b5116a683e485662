using System.Globalization;
using System.Text;

namespace Bruma.Text;

/// <summary>The Unicode facts that tokenizers rest on, by code points and the same on every machine.</summary>
internal static class UnicodeText
{
    private const int CapitalSigma = 0x3A3;
    private const int DottedCapitalI = 0x130;

    /// <summary>Replaces halves of surrogate pairs, which no vocabulary knows, by U+FFFD.</summary>
    public static string Valid(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) && ++i > 0))
                return string.Concat(text.EnumerateRunes());
        return text;
    }

    public static bool IsWhite(Rune rune) => Rune.IsWhiteSpace(rune);

    /// <summary>BERT's punctuation: the category, and all symbols of ASCII.</summary>
    public static bool IsPunctuation(Rune rune) => Rune.IsPunctuation(rune) || rune.IsAscii && (Rune.IsSymbol(rune) || rune.Value is '$' or '`' or '^');

    /// <summary>Characters that BERT's cleaning removes: control, format and private ones but for tab and line ends.</summary>
    /// <param name="unassigned">Whether code points without meaning count.</param>
    public static bool IsControl(Rune rune, bool unassigned) => rune.Value is not ('\t' or '\n' or '\r') && Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse => true,
        UnicodeCategory.OtherNotAssigned => unassigned,
        _ => false,
    };

    /// <summary>The ideographs that BERT sets apart.</summary>
    public static bool IsIdeograph(Rune rune) => rune.Value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F)
        or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B820 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    /// <summary>Full lower case.</summary>
    /// <param name="finalSigma">Whether Σ at the end of a word becomes ς, as Python has it and Rust's characters have not.</param>
    public static string Lower(string text, bool finalSigma)
    {
        var result = new StringBuilder(text.Length);
        var runes = text.EnumerateRunes().ToArray();
        for (var i = 0; i < runes.Length; i++)
            result.Append(runes[i].Value switch
            {
                DottedCapitalI => "i\u0307",
                CapitalSigma when finalSigma && EndsWord(runes, i) => "ς",
                _ => Rune.ToLowerInvariant(runes[i]).ToString(),
            });
        return result.ToString();
    }

    public static string RemoveMarks(string text) =>
        string.Concat(text.EnumerateRunes().Where(rune => Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark));

    /// <summary>BERT's cleaning: controls, NUL and U+FFFD go, every white space becomes a blank.</summary>
    public static string Clean(string text, bool unassigned)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            if (IsWhite(rune) && (rune.Value is '\t' or '\n' or '\r' || !IsControl(rune, unassigned)))
                result.Append(' ');
            else if (rune.Value is not (0 or 0xFFFD) && !IsControl(rune, unassigned))
                result.Append(rune.ToString());
        return result.ToString();
    }

    public static string SpaceIdeographs(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            result.Append(IsIdeograph(rune) ? $" {rune} " : rune.ToString());
        return result.ToString();
    }

    private static bool EndsWord(Rune[] runes, int i)
    {
        var (before, after) = (i - 1, i + 1);
        while (before >= 0 && IsCaseIgnorable(runes[before]))
            before--;
        while (after < runes.Length && IsCaseIgnorable(runes[after]))
            after++;
        return before >= 0 && IsCased(runes[before]) && !(after < runes.Length && IsCased(runes[after]));
    }

    private static bool IsCased(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static bool IsCaseIgnorable(Rune rune) => rune.Value is '\'' or '.' or ':' or 0xB7 or 0x2019 or 0x2018 or 0x2024 or 0x2027
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;
}
