namespace Bruma.Data.Emoji;

/// <summary>Other words for well-known emoji, written by hand: <c>codepoints|English; English|Spanish; Spanish</c> a line.</summary>
internal sealed class EmojiParaphrases
{
    private readonly Dictionary<string, (string[] English, string[] Spanish)> _phrases = new(StringComparer.Ordinal);

    public static EmojiParaphrases Load()
    {
        var result = new EmojiParaphrases();
        using var stream = typeof(EmojiParaphrases).Assembly.GetManifestResourceStream("Bruma.Data.Emoji.paraphrases.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            if (line.Split('|') is [var codepoints, var english, var spanish])
                result._phrases[codepoints] = (Parts(english), Parts(spanish));
        return result;
    }

    public IReadOnlyList<string> English(EmojiConcept concept) => _phrases.TryGetValue(concept.Codepoints, out var found) ? found.English : [];

    public IReadOnlyList<string> Spanish(EmojiConcept concept) => _phrases.TryGetValue(concept.Codepoints, out var found) ? found.Spanish : [];

    private static string[] Parts(string text) => text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
