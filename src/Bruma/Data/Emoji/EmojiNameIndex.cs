using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Bruma.Data.Emoji;

/// <summary>Which emoji a name stands for: by the slug of its English name, or by any set of short names.</summary>
internal sealed class EmojiNameIndex
{
    private static readonly string[] Shortcodes = ["emojibase", "emojibase-legacy", "github", "iamcal", "joypixels", "cldr"];

    private readonly Dictionary<string, string> _bySlug = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _bySpelling = new(StringComparer.Ordinal);

    public void Add(string codepoints, string englishName)
    {
        _bySlug.TryAdd(Slug(englishName), codepoints);
        _bySpelling.TryAdd(Letters(englishName), codepoints);
    }

    /// <summary>Adds Unicode's own names and every set of short names.</summary>
    /// <param name="root">The folder of emojibase-data.</param>
    public void AddSpellings(string root)
    {
        using (var names = PackageFile.Json(Path.Combine(root, "meta", "unicode-names.json")))
            foreach (var name in names.RootElement.EnumerateObject())
                _bySpelling.TryAdd(Letters(name.Value.GetString()!), EmojiCatalog.Plain(name.Name));
        foreach (var set in Shortcodes)
            using (var codes = PackageFile.Json(Path.Combine(root, "en", "shortcodes", set + ".json")))
                foreach (var code in codes.RootElement.EnumerateObject())
                    foreach (var name in code.Value.ValueKind == JsonValueKind.Array ? [.. code.Value.EnumerateArray()] : new[] { code.Value })
                        _bySpelling.TryAdd(Letters(name.GetString()!), EmojiCatalog.Plain(code.Name));
    }

    public string? BySlug(string name) => _bySlug.GetValueOrDefault(name);

    /// <summary>Punctuation aside. Numbers are refused: the short names "+1" and "100" would be taken for digits.</summary>
    public string? BySpelling(string name) => Letters(name) is { } letters && letters.Any(char.IsAsciiLetter) ? _bySpelling.GetValueOrDefault(letters) : null;

    /// <summary>An English name as icons are named: lower case without accents, anything else than letters and digits a dash.</summary>
    internal static string Slug(string name)
    {
        var slug = new StringBuilder();
        foreach (var letter in Unaccented(name))
            if (char.IsAsciiLetterOrDigit(letter))
                slug.Append(letter);
            else if (letter is not ('’' or '“' or '”' or '!') && slug.Length > 0 && slug[^1] != '-')
                slug.Append('-');
        return slug.ToString().TrimEnd('-');
    }

    private static string Letters(string name) => string.Concat(Unaccented(name).Where(char.IsAsciiLetterOrDigit));

    private static IEnumerable<char> Unaccented(string name) =>
        name.ToLowerInvariant().Normalize(NormalizationForm.FormD).Where(letter => char.GetUnicodeCategory(letter) != UnicodeCategory.NonSpacingMark);
}
