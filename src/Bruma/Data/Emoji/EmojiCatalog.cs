using System.Text.Json;

namespace Bruma.Data.Emoji;

/// <summary>Emojibase: every emoji with its names and tags in English and Spanish.</summary>
public sealed class EmojiCatalog
{
    private readonly Dictionary<string, EmojiPlace> _byCodepoints = new(StringComparer.Ordinal);

    private EmojiCatalog(IReadOnlyList<EmojiConcept> concepts, IReadOnlyList<string> texts) => (Concepts, Texts) = (concepts, texts);

    /// <summary>Every emoji without its skin tones, flags left out, in Unicode's order.</summary>
    public IReadOnlyList<EmojiConcept> Concepts { get; }

    /// <summary>Every name and tag in both languages, those of flags and skin tones too: text to learn words from.</summary>
    public IReadOnlyList<string> Texts { get; }

    internal EmojiNameIndex Names { get; } = new();

    /// <param name="modules">The folder <c>node_modules</c> that holds emojibase-data.</param>
    /// <exception cref="BrumaException">A file is missing or damaged.</exception>
    public static EmojiCatalog Read(string modules)
    {
        var root = Path.Combine(modules, EmojiPackages.Names.Package);
        using var english = PackageFile.Json(Path.Combine(root, "en", "data.json"));
        using var spanish = PackageFile.Json(Path.Combine(root, "es", "data.json"));
        using var groups = PackageFile.Json(Path.Combine(root, "meta", "groups.json"));
        var inSpanish = spanish.RootElement.EnumerateArray().ToDictionary(Hexcode);
        var concepts = new List<EmojiConcept>();
        var catalog = new EmojiCatalog(concepts, [.. english.RootElement.EnumerateArray().Concat(spanish.RootElement.EnumerateArray()).SelectMany(Texts)]);
        foreach (var entry in english.RootElement.EnumerateArray())
        {
            var concept = Concept(entry, inSpanish[Hexcode(entry)], groups.RootElement);
            catalog.Add(entry, new EmojiPlace(concept.Group == "flags" ? -1 : concepts.Count, 0));
            foreach (var skin in entry.TryGetProperty("skins", out var skins) ? skins.EnumerateArray().ToArray() : [])
                catalog.Add(skin, new EmojiPlace(concepts.Count, Tone(skin)));
            if (concept.Group != "flags")
                concepts.Add(concept);
        }
        catalog.Names.AddSpellings(root);
        return catalog;

        static IEnumerable<string> Texts(JsonElement entry) =>
            [Label(entry), .. Tags(entry), .. entry.TryGetProperty("skins", out var skins) ? skins.EnumerateArray().Select(Label) : []];
    }

    /// <summary>The place of a sequence of code points; null for what is no emoji.</summary>
    internal EmojiPlace? Find(string codepoints) => _byCodepoints.TryGetValue(codepoints, out var found) ? found : null;

    /// <summary>Lower case without variation selectors.</summary>
    internal static string Plain(string codepoints) =>
        string.Join('-', codepoints.ToLowerInvariant().Split('-', ' ', '_').Where(part => part is not ("fe0f" or "fe0e")));

    private void Add(JsonElement entry, EmojiPlace place)
    {
        var codepoints = Plain(Hexcode(entry));
        if (_byCodepoints.TryAdd(codepoints, place))
            Names.Add(codepoints, entry.GetProperty("label").GetString()!);
    }

    private static EmojiConcept Concept(JsonElement english, JsonElement spanish, JsonElement groups)
    {
        return new EmojiConcept(Plain(Hexcode(english)), Label(english), Label(spanish), Tags(english), Tags(spanish), Named("groups", "group"), Named("subgroups", "subgroup"));

        string Named(string table, string key) =>
            english.TryGetProperty(key, out var number) ? groups.GetProperty(table).GetProperty(number.GetRawText()).GetString()! : "";
    }

    /// <summary>1 (light) to 5 (dark); -1 for two people of different tones.</summary>
    private static int Tone(JsonElement skin) => skin.GetProperty("tone") is { ValueKind: JsonValueKind.Number } tone ? tone.GetInt32() : -1;

    private static string Hexcode(JsonElement entry) => entry.GetProperty("hexcode").GetString()!;

    private static string Label(JsonElement entry) => Spoken(entry.GetProperty("label").GetString()!);

    private static string[] Tags(JsonElement entry) =>
        entry.TryGetProperty("tags", out var tags) ? [.. tags.EnumerateArray().Select(tag => Spoken(tag.GetString()!)).Distinct()] : [];

    /// <summary>As people type it: lower case, plain apostrophes, no quotation marks.</summary>
    private static string Spoken(string text) =>
        text.ToLowerInvariant().Replace('’', '\'').Replace("“", "", StringComparison.Ordinal).Replace("”", "", StringComparison.Ordinal)
            .Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal).Trim();
}

/// <summary>Which concept a picture shows.</summary>
/// <param name="Concept">Index in the catalog; -1 for a flag.</param>
/// <param name="Tone">0 for none, 1 to 5, or -1 for two tones.</param>
internal readonly record struct EmojiPlace(int Concept, int Tone)
{
    public bool IsUsed => Concept >= 0 && Tone >= 0;
}
