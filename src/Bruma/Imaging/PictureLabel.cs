using SkiaSharp;
using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>A name beside pictures, for sheets that compare several things.</summary>
public static class PictureLabel
{
    private const int Margin = 8;
    private const float FontSize = 16;

    /// <param name="image">uint8 [1 or 3, H, W].</param>
    /// <param name="width">Pixels for the text.</param>
    /// <returns>uint8 [C, H, W + width]: the text at the left, black on white.</returns>
    public static Tensor Beside(Tensor image, string text, int width = 150)
    {
        using var scope = NewDisposeScope();
        var (channels, height) = (image.shape[0], (int)image.shape[1]);
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
        using (var canvas = new SKCanvas(bitmap))
        using (var paint = new SKPaint { Color = SKColors.Black, IsAntialias = true })
        using (var font = new SKFont(SKTypeface.Default, FontSize))
        {
            canvas.Clear(SKColors.White);
            canvas.DrawText(text, Margin, height / 2f + FontSize / 3, font, paint);
        }
        var label = tensor(bitmap.GetPixelSpan().ToArray(), [1, height, bitmap.RowBytes], uint8).narrow(2, 0, width);
        return cat([label.expand(channels, height, width), image], 2).MoveToOuterDisposeScope();
    }
}
