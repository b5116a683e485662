using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Data;

/// <summary>Pictures in a folder: classes as subfolders, <c>metadata.jsonl</c>, captions beside them, or kohya's <c>N_name</c> folders with repeats.</summary>
public sealed class ImageFolder : ImageSource
{
    private readonly List<string> _paths = [];

    public ImageFolder(string folder)
    {
        Name = folder;
        var examples = new List<ImageExample>();
        Layout = PictureMetadata.IsIn(folder) ? FromMetadata(PictureMetadata.PathIn(folder), examples) : FromFolders(examples);
        if (examples.Count == 0)
            throw new BrumaException($"{folder}: no pictures there or in its subfolders ({string.Join(", ", ImageFile.Extensions)}).");
        Examples = examples;
    }

    public override string Name { get; }

    public override string Layout { get; }

    public override IReadOnlyList<ImageExample> Examples { get; }

    public override IReadOnlyList<string> ClassNames => _classNames;

    public override int Channels => 3;

    private List<string> _classNames = [];

    public override Tensor Load(int index) => ImageFile.Load(_paths[index]);

    public override string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (path, example) in _paths.Zip(Examples))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{example.Name}\n{example.Class}\n{string.Join('\n', [example.Caption, .. example.OtherCaptions ?? []])}\n"));
            try
            {
                using var file = File.OpenRead(path);
                hash.AppendData(SHA256.HashData(file));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                hash.AppendData("unreadable"u8); // named and skipped where the pictures are loaded
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private string FromFolders(List<ImageExample> examples)
    {
        var folders = Directory.EnumerateDirectories(Name).Where(HasPictures).Order(StringComparer.Ordinal).Select(folder => (Path: folder, Label: Path.GetFileName(folder))).ToList();
        var repeated = folders.Count > 0 && folders.All(folder => Repeats(folder.Label) is not null);
        _classNames = folders.Count > 0 ? [.. folders.Select(folder => repeated ? Repeats(folder.Label)!.Value.Label : folder.Label).Distinct()] : [];
        if (folders.Count == 0)
            folders = [(Name, "")];
        foreach (var (folder, label) in folders)
        {
            var (times, name) = repeated ? Repeats(label)!.Value : (1, label);
            var index = _classNames.Count > 0 ? _classNames.IndexOf(name) : (int?)null;
            foreach (var path in Enumerable.Repeat(Pictures(folder), times).SelectMany(paths => paths))
                Add(examples, path, index, Sidecar(path) ?? (repeated ? name : null));
        }
        return repeated ? "kohya folders with repeats" : _classNames.Count > 0 ? "classes as subfolders" : examples.Any(example => example.Caption is not null) ? "pictures with captions beside them" : "plain folder";
    }

    private string FromMetadata(string metadata, List<ImageExample> examples)
    {
        var rows = File.ReadLines(metadata).Select((line, i) => (Line: i + 1, Text: line)).Where(row => row.Text.Trim().Length > 0).Select(row => Row(metadata, row.Line, row.Text)).ToList();
        var labels = rows.Select(row => row.Label ?? Path.GetDirectoryName(row.File)?.Replace('\\', '/') ?? "").ToList();
        _classNames = labels.All(label => label.Length > 0) && labels.Distinct().Count() > 1 ? [.. labels.Distinct().Order(StringComparer.Ordinal)] : [];
        foreach (var (row, label) in rows.Zip(labels))
            Add(examples, Path.Combine(Name, row.File), _classNames.Count > 0 ? _classNames.IndexOf(label) : null, row.Texts.FirstOrDefault(), row.Columns, row.Texts.Count > 1 ? row.Texts[1..] : null);
        return Path.GetFileName(metadata);
    }

    private (string File, List<string> Texts, string? Label, IReadOnlyDictionary<string, string>? Columns) Row(string metadata, int line, string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var file = json.RootElement.GetProperty("file_name").GetString()!;
            if (!Path.GetFullPath(Path.Combine(Name, file)).StartsWith(Path.GetFullPath(Name) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                throw new BrumaException($"{metadata}, line {line}: file_name \"{file}\" leaves the folder; keep the pictures inside it.");
            var columns = json.RootElement.EnumerateObject().Where(column => column.Name is not ("file_name" or "text") && column.Value.ValueKind != JsonValueKind.Null).ToDictionary(column => column.Name, column => column.Value.ToString(), StringComparer.Ordinal);
            return (file, Texts(json.RootElement), Text(json.RootElement, "label") ?? Text(json.RootElement, "class"), columns.Count > 0 ? columns : null);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new BrumaException($"{metadata}, line {line}: not a JSON object with file_name ({e.Message.Split('\n')[0].TrimEnd('.')}).", e);
        }

        static List<string> Texts(JsonElement row) => row.TryGetProperty("text", out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(text => text.GetString()).OfType<string>()]
            : Text(row, "text") is { } one ? [one] : [];

        static string? Text(JsonElement row, string name) => row.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number ? row.GetProperty(name).ToString() : null;
    }

    private void Add(List<ImageExample> examples, string path, int? label, string? caption, IReadOnlyDictionary<string, string>? columns = null, List<string>? others = null)
    {
        _paths.Add(path);
        examples.Add(new ImageExample(Path.GetRelativePath(Name, path).Replace('\\', '/'), label, caption, columns, others));
    }

    private static (int Times, string Label)? Repeats(string folder) =>
        folder.IndexOf('_', StringComparison.Ordinal) is var split && split > 0 && int.TryParse(folder[..split], NumberStyles.None, CultureInfo.InvariantCulture, out var times) && times > 0 ? (times, folder[(split + 1)..]) : null;

    private static string? Sidecar(string path) =>
        new[] { ".txt", ".caption" }.Select(extension => Path.ChangeExtension(path, extension)).Where(File.Exists).Select(file => File.ReadAllText(file).Trim()).FirstOrDefault();

    private static bool HasPictures(string folder) => Pictures(folder).Any();

    private static IEnumerable<string> Pictures(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Where(path => ImageFile.Extensions.Contains(Path.GetExtension(path).ToLowerInvariant())).Order(StringComparer.Ordinal);
}
