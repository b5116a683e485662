using SkiaSharp;
using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>A picture of a sheet with the words below it; lines are parted by line breaks.</summary>
public sealed record LabelledPicture(Tensor Pixels, string Label);

/// <summary>Pictures in a grid with a title, names of columns and rows, and a few words below each.</summary>
public static class LabelledSheet
{
    private const int Gap = 10;
    private const int SmallestCell = 128;
    private const float TextSize = 14;
    private const float TitleSize = 18;
    private const int LineHeight = 19;

    /// <param name="cells">Row by row; uint8 [1 or 3, H, W], of one size.</param>
    /// <param name="columns">Pictures in a row.</param>
    /// <param name="rowNames">One per row; null for none.</param>
    /// <param name="columnNames">One per column; null for none.</param>
    /// <returns>uint8 [3, H', W']; tiny pictures are enlarged by whole pixels.</returns>
    public static Tensor Compose(string title, IReadOnlyList<LabelledPicture> cells, int columns, IReadOnlyList<string>? rowNames = null, IReadOnlyList<string>? columnNames = null)
    {
        using var font = new SKFont(SKTypeface.Default, TextSize);
        using var bold = new SKFont(SKTypeface.Default, TitleSize) { Embolden = true };
        using var ink = new SKPaint { Color = SKColors.Black, IsAntialias = true };
        var (height, width) = ((int)cells[0].Pixels.shape[1], (int)cells[0].Pixels.shape[2]);
        var scale = Math.Max(1, SmallestCell / Math.Max(1, Math.Min(height, width)));
        var rows = (cells.Count + columns - 1) / columns;
        var lines = cells.Max(cell => cell.Label.Length == 0 ? 0 : cell.Label.Split('\n').Length);
        var left = Gap + (rowNames is null ? 0 : (int)rowNames.Max(name => font.MeasureText(name)) + Gap);
        var cell = (Width: width * scale + Gap, Height: height * scale + lines * LineHeight + Gap);
        var titleLines = Wrapped(title, bold, left + columns * cell.Width - Gap);
        var top = Gap + titleLines.Count * (LineHeight + 4) + (columnNames is null ? 0 : LineHeight);

        using var bitmap = new SKBitmap(new SKImageInfo(left + columns * cell.Width, top + rows * cell.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White);
        for (var i = 0; i < titleLines.Count; i++)
            canvas.DrawText(titleLines[i], Gap, Gap + TitleSize + i * (LineHeight + 4), bold, ink);
        for (var i = 0; i < (columnNames?.Count ?? 0); i++)
            canvas.DrawText(Fitted(columnNames![i], font, cell.Width), left + i * cell.Width, top - 6, font, ink);
        for (var i = 0; i < (rowNames?.Count ?? 0); i++)
            canvas.DrawText(rowNames![i], Gap, top + i * cell.Height + height * scale / 2f, font, ink);
        for (var i = 0; i < cells.Count; i++)
        {
            var (x, y) = (left + i % columns * cell.Width, top + i / columns * cell.Height);
            using var picture = Bitmap(cells[i].Pixels);
            canvas.DrawBitmap(picture, new SKRect(x, y, x + width * scale, y + height * scale));
            foreach (var (line, number) in cells[i].Label.Split('\n').Select((line, number) => (line, number)))
                canvas.DrawText(Fitted(line, font, cell.Width), x, y + height * scale + TextSize + 2 + number * LineHeight, font, ink);
        }
        canvas.Flush();
        return Pixels(bitmap);
    }

    /// <summary>A text cut to a width.</summary>
    private static string Fitted(string text, SKFont font, float width)
    {
        while (text.Length > 1 && font.MeasureText(text) > width)
            text = string.Concat(text.AsSpan(0, text.Length - (text.EndsWith('…') ? 2 : 1)), "…");
        return text;
    }

    private static List<string> Wrapped(string text, SKFont font, float width)
    {
        var lines = new List<string>();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            if (lines.Count > 0 && font.MeasureText($"{lines[^1]} {word}") <= width)
                lines[^1] += $" {word}";
            else
                lines.Add(word);
        return lines;
    }

    private static unsafe SKBitmap Bitmap(Tensor image)
    {
        using var scope = NewDisposeScope();
        var (height, width) = ((int)image.shape[1], (int)image.shape[2]);
        var source = image.cpu().expand(3, height, width).permute(1, 2, 0).contiguous(); // [H, W, 3]
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var from = (byte*)TensorMemory.Address(source);
        var to = (byte*)bitmap.GetPixels();
        for (var i = 0; i < width * height; i++)
            (to[4 * i], to[4 * i + 1], to[4 * i + 2], to[4 * i + 3]) = (from[3 * i], from[3 * i + 1], from[3 * i + 2], 255);
        return bitmap;
    }

    private static unsafe Tensor Pixels(SKBitmap bitmap)
    {
        var (width, height) = (bitmap.Width, bitmap.Height);
        var tensor = empty([3, height, width], uint8);
        var from = (byte*)bitmap.GetPixels();
        var to = (byte*)TensorMemory.Address(tensor);
        for (var i = 0; i < width * height; i++)
            for (var c = 0; c < 3; c++)
                to[(long)c * width * height + i] = from[4 * i + c];
        return tensor;
    }
}
