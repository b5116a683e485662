using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace Bruma.Data;

/// <summary>The manual pages of a Debian system as plain text: example text in English and Spanish that needs no download.</summary>
public static partial class ManPages
{
    /// <summary>Each name with the folder of its pages and the package that brings them.</summary>
    private static readonly Dictionary<string, string> Folders = new(StringComparer.Ordinal) { ["manpages"] = "/usr/share/man", ["manpages-es"] = "/usr/share/man/es" };

    public static IReadOnlyCollection<string> Names => Folders.Keys;

    /// <summary>The names whose pages are on this machine.</summary>
    public static IEnumerable<string> Installed => Folders.Where(pair => Directory.Exists(pair.Value) && Pages(pair.Value).Any()).Select(pair => pair.Key);

    /// <exception cref="BrumaException">The package is not installed.</exception>
    public static string Read(string name)
    {
        var folder = Folders[name];
        var pages = Directory.Exists(folder) ? Pages(folder).Order(StringComparer.Ordinal).Where(file => new FileInfo(file).LinkTarget is null).ToList() : [];
        if (pages.Count == 0)
            throw new BrumaException($"{name}: {folder} has no manual pages; install them with \"apt install {name}\", or give a text file.");
        var text = new StringBuilder();
        foreach (var page in pages)
            text.Append(PlainText(Unzipped(page)));
        return text.ToString();
    }

    /// <summary>The words of a page's source, without the markup of roff.</summary>
    public static string PlainText(string source)
    {
        var text = new StringBuilder();
        foreach (var line in source.Split('\n'))
        {
            if (Comment().IsMatch(line) || line.StartsWith(".so ", StringComparison.Ordinal))
                continue;
            var words = line.StartsWith('.') || line.StartsWith('\'') ? Argument(line) : line;
            if (words is null)
                continue;
            var plain = Escapes().Replace(Fonts().Replace(Characters().Replace(words, match => Named(match.Value)), ""), match => match.Groups[1].Value switch { "e" => "\\", "-" => "-", "&" or "," or "/" or "|" or "^" or "c" or "%" => "", var other => other }).Trim();
            if (plain.Length > 0)
                text.Append(plain).Append('\n');
        }
        return text.ToString();
    }

    private static IEnumerable<string> Pages(string folder) => Directory.EnumerateDirectories(folder, "man?").SelectMany(section => Directory.EnumerateFiles(section, "*.gz"));

    /// <summary>What a macro prints: headings and words in a font; null for layout.</summary>
    private static string? Argument(string line)
    {
        var match = Macro().Match(line);
        return match.Success ? match.Groups[2].Value.Replace("\"", "", StringComparison.Ordinal) : null;
    }

    private static string Named(string escape) => escape switch { "\\(aq" => "'", "\\(dq" => "\"", "\\(en" or "\\(em" => "-", "\\(bu" => "*", "\\(lq" or "\\(rq" => "\"", _ => " " };

    private static string Unzipped(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"^[.']\\""")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^[.'] *(SH|SS|B|I|BR|BI|IR|IB|RB|RI|SM|Sh|Ss|Nm|Nd|Pa|Xr|Fl|Ar|Dq|Em)\s+(.*)$")]
    private static partial Regex Macro();

    [GeneratedRegex(@"\\\(..|\\\[[^\]]*\]")]
    private static partial Regex Characters();

    [GeneratedRegex(@"\\f(\(..|\[[^\]]*\]|.)|\\s[-+]?\d|\\m\[[^\]]*\]")]
    private static partial Regex Fonts();

    [GeneratedRegex(@"\\(.)")]
    private static partial Regex Escapes();
}
