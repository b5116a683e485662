using System.Text;
using System.Text.RegularExpressions;
using Bruma.Imaging;
using SkiaSharp;
using static TorchSharp.torch;

namespace Bruma.Data.Emoji;

/// <summary>Draws icons at 128 px with transparency: SVG by librsvg's program, many to a sheet since starting it costs more than drawing; other files by decoding and shrinking.</summary>
internal static partial class EmojiRaster
{
    public const int Size = 128;

    /// <summary>Most drawings of one call.</summary>
    public const int SheetDrawings = Columns * Columns;

    private const int Columns = 8;
    private const string HowToInstall = "on Debian install the package librsvg2-bin";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>The version of rsvg-convert, which enters the data hash: another version draws other pixels.</summary>
    public static string Version()
    {
        var (_, output, _) = OutsideProgram.Run("rsvg-convert", ["--version"], null, HowToInstall, Patience).GetAwaiter().GetResult();
        return Encoding.UTF8.GetString(output).Trim();
    }

    /// <summary>Draws up to a sheet of icons into rows of a tensor; what cannot be drawn is told.</summary>
    /// <param name="rows">uint8 [N, 4, 128, 128]: red, green, blue, alpha; colour where alpha is 0 is white.</param>
    public static async Task Draw(IReadOnlyList<IconDrawing> drawings, Tensor rows, Action<int, string> failed)
    {
        var vector = Enumerable.Range(0, drawings.Count).Where(i => drawings[i].Svg is not null).ToLookup(i => drawings[i].Svg!.Contains("<filter", StringComparison.Ordinal));
        foreach (var alone in vector[true]) // librsvg filters the whole canvas, so a large one costs more than a start
            await DrawSheet(drawings, [alone], rows, failed);
        if (vector[false].ToList() is { Count: > 0 } together)
            await DrawSheet(drawings, together, rows, failed);
        for (var i = 0; i < drawings.Count; i++)
            if (drawings[i].File is { } file)
                Put(rows, i, Decode(await File.ReadAllBytesAsync(file), drawings[i].Name));
    }

    /// <summary>A drawing that fails takes its sheet along, so the sheet is halved until it stands alone.</summary>
    private static async Task DrawSheet(IReadOnlyList<IconDrawing> drawings, List<int> chosen, Tensor rows, Action<int, string> failed)
    {
        var (code, output, error) = await OutsideProgram.Run("rsvg-convert", ["--unlimited", "-f", "png"], Sheet([.. chosen.Select(i => drawings[i].Svg!)]), HowToInstall, Patience);
        if (code == 0)
            Cut(output, chosen, rows);
        else if (chosen.Count == 1)
            failed(chosen[0], $"{drawings[chosen[0]].Name}: rsvg-convert fails with code {code} ({error.Split('\n')[0]}).");
        else
        {
            await DrawSheet(drawings, chosen[..(chosen.Count / 2)], rows, failed);
            await DrawSheet(drawings, chosen[(chosen.Count / 2)..], rows, failed);
        }
    }

    /// <summary>One SVG with every icon in a square of its own; names within an icon get its number, so that they cannot meet.</summary>
    private static string Sheet(List<string> icons)
    {
        var sheet = new StringBuilder();
        var (columns, rows) = (Math.Min(icons.Count, Columns), (icons.Count + Columns - 1) / Columns);
        sheet.Append(System.Globalization.CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{columns * Size}\" height=\"{rows * Size}\">");
        for (var i = 0; i < icons.Count; i++)
            sheet.Append(System.Globalization.CultureInfo.InvariantCulture, $"<svg x=\"{i % Columns * Size}\" y=\"{i / Columns * Size}\" width=\"{Size}\" height=\"{Size}\" ")
                .Append(OwnNames().Replace(icons[i], match => $"{match.Groups[1].Value}i{i}-{match.Groups[2].Value}")["<svg ".Length..]);
        return sheet.Append("</svg>").ToString();
    }

    private static void Cut(byte[] png, List<int> chosen, Tensor rows)
    {
        using var scope = NewDisposeScope();
        var sheet = DecodePlanes(png, "rsvg-convert");
        for (var place = 0; place < chosen.Count; place++)
            Put(rows, chosen[place], Straight(sheet.narrow(1, place / Columns * Size, Size).narrow(2, place % Columns * Size, Size)));
    }

    private static void Put(Tensor rows, int row, Tensor drawing)
    {
        using var scope = NewDisposeScope();
        rows[row].copy_(drawing);
        drawing.Dispose();
    }

    private static Tensor Decode(byte[] bytes, string name)
    {
        using var scope = NewDisposeScope();
        var planes = DecodePlanes(bytes, name);
        var (height, width) = ((int)planes.shape[1], (int)planes.shape[2]);
        if (Math.Max(height, width) != Size)
            planes = Resampling.Resize(planes, Fit(width, height), Fit(height, width), ResampleFilter.Lanczos);
        return Straight(Centred(planes)).MoveToOuterDisposeScope();

        static int Fit(int side, int other) => Math.Max(1, (int)Math.Round((double)Size * side / Math.Max(side, other)));
    }

    /// <returns>uint8 [4, H, W], premultiplied, so that shrinking mixes no colour of what is transparent.</returns>
    private static unsafe Tensor DecodePlanes(byte[] bytes, string name)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data) ?? throw new BrumaException($"{name}: no picture that can be decoded.");
        using var bitmap = new SKBitmap(new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Premul));
        if (codec.GetPixels(bitmap.Info, bitmap.GetPixels()) != SKCodecResult.Success)
            throw new BrumaException($"{name}: the picture is damaged.");
        using var scope = NewDisposeScope();
        var pixels = empty([bitmap.Height, bitmap.Width, 4], uint8);
        var size = 4L * bitmap.Width * bitmap.Height;
        Buffer.MemoryCopy((void*)bitmap.GetPixels(), (void*)TensorMemory.Address(pixels), size, size);
        return pixels.permute(2, 0, 1).contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor Centred(Tensor planes)
    {
        var (height, width) = (planes.shape[1], planes.shape[2]);
        if (height == Size && width == Size)
            return planes;
        var square = zeros([4, Size, Size], uint8);
        square.narrow(1, (Size - height) / 2, height).narrow(2, (Size - width) / 2, width).copy_(planes);
        return square;
    }

    /// <summary>Divides the colours by alpha again; what is transparent becomes white.</summary>
    private static Tensor Straight(Tensor premultiplied)
    {
        using var scope = NewDisposeScope();
        var alpha = premultiplied.narrow(0, 3, 1).to(float32);
        var colour = (premultiplied.narrow(0, 0, 3).to(float32) * 255 / alpha.clamp_min(1)).round().clamp(0, 255);
        return cat([where(alpha > 0, colour, full_like(colour, 255)).to(uint8), premultiplied.narrow(0, 3, 1)]).MoveToOuterDisposeScope();
    }

    [GeneratedRegex("""(\bid="|url\(["']?#|href="#)([^"')]+)""")]
    private static partial Regex OwnNames();
}
