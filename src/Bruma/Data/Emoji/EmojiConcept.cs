namespace Bruma.Data.Emoji;

/// <summary>What a picture shows, whatever its style.</summary>
/// <param name="Codepoints">Lower-case hexadecimal code points joined by <c>-</c>, without variation selectors, such as <c>1f63b</c>.</param>
/// <param name="English">Its English name, lower case.</param>
/// <param name="Spanish">Its Spanish name, lower case.</param>
/// <param name="EnglishTags">Further English words for it.</param>
/// <param name="SpanishTags">Further Spanish words for it.</param>
/// <param name="Group">Unicode's group, such as <c>animals-nature</c>; empty for letters of flags.</param>
/// <param name="Subgroup">Unicode's subgroup, such as <c>cat-face</c>.</param>
public sealed record EmojiConcept(string Codepoints, string English, string Spanish, IReadOnlyList<string> EnglishTags, IReadOnlyList<string> SpanishTags, string Group, string Subgroup)
{
    /// <summary>Whether a small picture of it can be told from others: no flags, keycaps, letters, signs of writing, clocks, or parts of other emoji.</summary>
    public bool IsDrawable => Group is not ("" or "flags" or "component") && Subgroup is not ("keycap" or "alphanum") && !IsClockTime;

    /// <summary>Whether its mirror image shows the same: nothing with a side to it, such as arrows and signs.</summary>
    public bool HasNoSide => Group is "animals-nature" or "food-drink" or "smileys-emotion" or "people-body";

    private bool IsClockTime => Subgroup == "time" && (English.EndsWith("o'clock", StringComparison.Ordinal) || English.EndsWith("-thirty", StringComparison.Ordinal));
}

/// <summary>A picture of the data set: a concept in a style, and for people perhaps a skin tone.</summary>
/// <param name="Style">Index of the style.</param>
/// <param name="Concept">Index of the concept.</param>
/// <param name="Tone">0 for none, 1 (light) to 5 (dark).</param>
public readonly record struct EmojiPicture(int Style, int Concept, int Tone = 0);
