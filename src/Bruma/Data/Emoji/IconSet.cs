using System.Text.Json;

namespace Bruma.Data.Emoji;

/// <summary>A picture to be drawn: SVG text, or a file.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Svg">Without width and height.</param>
internal sealed record IconDrawing(string Name, string? Svg, string? File);

/// <summary>The icons of a package: Iconify's JSON (SVG bodies by name), or a folder of pictures named by code points.</summary>
internal sealed class IconSet
{
    private readonly Dictionary<string, Icon> _icons = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _codepointsOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IconDrawing> _files = new(StringComparer.Ordinal);

    /// <summary>Code points by icon name, where the package has them.</summary>
    public IEnumerable<KeyValuePair<string, string>> Known => _codepointsOf.Select(entry => new KeyValuePair<string, string>(entry.Key, entry.Value[0]));

    public static IconSet Read(string modules, EmojiPackage package)
    {
        var set = new IconSet();
        var root = Path.Combine(modules, package.Package);
        if (Directory.Exists(Path.Combine(root, "assets")))
            set.ReadFolder(Path.Combine(root, "assets"));
        else
            set.ReadIconify(root);
        return set;
    }

    /// <summary>The drawing of every emoji of the catalog that the set has, by code points: visible icons before hidden ones, own icons before aliases.</summary>
    /// <param name="knownNames">Code points by icon name, as other sets have them.</param>
    public Dictionary<string, IconDrawing> Map(EmojiCatalog catalog, IReadOnlyDictionary<string, string> knownNames)
    {
        var drawings = new Dictionary<string, IconDrawing>(_files.Where(file => catalog.Find(file.Key) is not null));
        foreach (var (name, icon) in _icons.OrderBy(pair => (pair.Value.Hidden, pair.Value.IsAlias)).ThenBy(pair => pair.Key, StringComparer.Ordinal))
            foreach (var codepoints in CodepointsFor(name, catalog, knownNames).Where(codepoints => catalog.Find(codepoints) is not null))
                drawings.TryAdd(codepoints, new IconDrawing(name, icon.Svg, null));
        return drawings;
    }

    /// <summary>The package's own code points; the slug of the English name; another set's; any spelling.</summary>
    private List<string> CodepointsFor(string name, EmojiCatalog catalog, IReadOnlyDictionary<string, string> knownNames) =>
        _codepointsOf.GetValueOrDefault(name)
        ?? ((catalog.Names.BySlug(name) ?? knownNames.GetValueOrDefault(name) ?? catalog.Names.BySpelling(name)) is { } codepoints ? [codepoints] : []);

    private void ReadFolder(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*.webp").Order(StringComparer.Ordinal))
            _files.TryAdd(EmojiCatalog.Plain(Path.GetFileNameWithoutExtension(file)), new IconDrawing(Path.GetFileName(file), null, file));
    }

    private void ReadIconify(string root)
    {
        using (var chars = PackageFile.Json(Path.Combine(root, "chars.json")))
            foreach (var entry in chars.RootElement.ValueKind == JsonValueKind.Object ? chars.RootElement.EnumerateObject().ToArray() : [])
            {
                if (!_codepointsOf.TryGetValue(entry.Value.GetString()!, out var known))
                    _codepointsOf[entry.Value.GetString()!] = known = [];
                known.Add(EmojiCatalog.Plain(entry.Name));
            }
        using var json = PackageFile.Json(Path.Combine(root, "icons.json"));
        var set = json.RootElement;
        var size = (Number(set, "width", 16), Number(set, "height", 16));
        foreach (var entry in set.GetProperty("icons").EnumerateObject())
            _icons[entry.Name] = new Icon(entry.Value.GetProperty("body").GetString()!, Box(entry.Value, size), Flag(entry.Value, "hidden"), false, "");
        if (set.TryGetProperty("aliases", out var aliases))
            foreach (var entry in aliases.EnumerateObject())
                if (_icons.TryGetValue(entry.Value.GetProperty("parent").GetString()!, out var parent))
                    _icons.TryAdd(entry.Name, parent with { IsAlias = true, Hidden = parent.Hidden || Flag(entry.Value, "hidden"), Turn = Turn(entry.Value, parent.Box) });
    }

    /// <summary>SVG's transformation for Iconify's hFlip, vFlip and rotate (quarter turns).</summary>
    private static string Turn(JsonElement alias, (double Left, double Top, double Width, double Height) box)
    {
        var (centreX, centreY) = (box.Left + box.Width / 2, box.Top + box.Height / 2);
        var turn = "";
        if (Flag(alias, "hFlip") || Flag(alias, "vFlip"))
            turn = FormattableString.Invariant($"translate({(Flag(alias, "hFlip") ? 2 * centreX : 0)} {(Flag(alias, "vFlip") ? 2 * centreY : 0)}) scale({(Flag(alias, "hFlip") ? -1 : 1)} {(Flag(alias, "vFlip") ? -1 : 1)})");
        if (Number(alias, "rotate", 0) is > 0 and var quarters)
            turn = FormattableString.Invariant($"rotate({90 * quarters} {centreX} {centreY}) ") + turn;
        return turn;
    }

    private static (double Left, double Top, double Width, double Height) Box(JsonElement icon, (double Width, double Height) byDefault) =>
        (Number(icon, "left", 0), Number(icon, "top", 0), Number(icon, "width", byDefault.Width), Number(icon, "height", byDefault.Height));

    private static double Number(JsonElement element, string key, double byDefault) => element.TryGetProperty(key, out var value) ? value.GetDouble() : byDefault;

    private static bool Flag(JsonElement element, string key) => element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.True;

    private sealed record Icon(string Body, (double Left, double Top, double Width, double Height) Box, bool Hidden, bool IsAlias, string Turn)
    {
        public string Svg
        {
            get
            {
                var body = Turn.Length > 0 ? $"<g transform=\"{Turn}\">{Body}</g>" : Body;
                return FormattableString.Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"{Box.Left} {Box.Top} {Box.Width} {Box.Height}\">{body}</svg>");
            }
        }
    }
}
