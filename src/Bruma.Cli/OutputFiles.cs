using System.Globalization;
using System.Text.RegularExpressions;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Cli;

/// <summary>Where pictures go: one contact sheet, or a file each when the name holds <c>%d</c>, <c>%03d</c> or <c>{seed}</c>.</summary>
/// <param name="count">Pictures that will come.</param>
/// <param name="firstIndex">Number of the first file.</param>
internal sealed partial class OutputFiles(string output, int count, int firstIndex = 1)
{
    private readonly List<Tensor> _sheet = [];
    private readonly List<string> _files = [];
    private IReadOnlyDictionary<string, string>? _sheetText;
    private int _added;

    public IReadOnlyList<string> Files => _files;

    /// <param name="inputs">Pictures that the command reads, which must not be written over, and what names them.</param>
    public static void Check(string output, params IEnumerable<(string What, string? File)> inputs)
    {
        if (!output.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--output {output}: pictures are written as PNG; give a name that ends in .png.");
        foreach (var (what, file) in inputs)
            if (file is not null && Regex.IsMatch(Path.GetFullPath(file), Names(output)))
                throw new UsageException($"--output {output}: would write over {file}, which {what} names; give another name.");
    }

    /// <summary>Writes a picture, or keeps it for the sheet.</summary>
    /// <param name="image">uint8 [C, H, W].</param>
    /// <param name="text">PNG text; null for none.</param>
    public void Add(Tensor image, long seed, IReadOnlyDictionary<string, string>? text)
    {
        var index = firstIndex + _added++;
        if (count > 1 && !Number().IsMatch(output) && !output.Contains(Seed, StringComparison.Ordinal))
        {
            _sheetText ??= text;
            _sheet.Add(image.clone().DetachFromDisposeScope());
            return;
        }
        var file = Number().Replace(output, match => index.ToString($"D{(match.Groups[1].Length == 0 ? "1" : match.Groups[1].Value)}", CultureInfo.InvariantCulture))
            .Replace(Seed, seed.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        using var whole = image.contiguous();
        PngFile.Write(file, whole, text);
        _files.Add(file);
    }

    /// <summary>Writes the sheet, if there is to be one.</summary>
    public void Finish()
    {
        if (_sheet.Count == 0)
            return;
        using var sheet = ContactSheet.Compose(_sheet);
        PngFile.Write(output, sheet, _sheetText);
        _files.Add(output);
        foreach (var image in _sheet)
            image.Dispose();
        _sheet.Clear();
    }

    /// <summary>A pattern of all the files that may be written.</summary>
    private static string Names(string output) => $"^{Number().Replace(Regex.Escape(Path.GetFullPath(output)), "[0-9]+").Replace(Regex.Escape(Seed), "-?[0-9]+", StringComparison.Ordinal)}$";

    private const string Seed = "{seed}";

    [GeneratedRegex("%0?([0-9]*)d")]
    private static partial Regex Number();
}
