using Bruma.Data;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>The square of a picture that is trained on: around the head where <c>metadata.jsonl</c> has a <c>head_box</c>, else the middle.</summary>
public static class PictureSquare
{
    /// <summary>Side of a close square, in sides of the head.</summary>
    public const double HeadMargin = 1.7;

    /// <param name="picture">uint8 [1 or 3, H, W].</param>
    /// <param name="wide">Around a known head the largest square there is, in place of a close one.</param>
    /// <returns>uint8 [3, size, size].</returns>
    public static Tensor Cut(Tensor picture, ImageExample example, int size, bool wide = false)
    {
        using var scope = NewDisposeScope();
        var (height, width) = ((int)picture.shape[1], (int)picture.shape[2]);
        var (top, left, side) = Place(height, width, HeadBox(example), wide);
        var square = picture.narrow(1, top, side).narrow(2, left, side).expand(3, -1, -1).contiguous();
        return Resampling.Resize(square, size, size, ResampleFilter.Bicubic).MoveToOuterDisposeScope();
    }

    /// <summary>The longer side of the head's box as a share of the square's side, at most 1; null where the head's place is not known.</summary>
    public static double? HeadShare(int height, int width, ImageExample example, bool wide = false) =>
        HeadBox(example) is { } box ? Math.Min(1, (double)Math.Max(box[2] - box[0], box[3] - box[1]) / Place(height, width, box, wide).Side) : null;

    /// <summary>Side min(1.7 x the longer side of the box, w, h), or min(w, h), centred on it and moved inside the picture.</summary>
    private static (int Top, int Left, int Side) Place(int height, int width, int[]? box, bool wide)
    {
        if (box is not [var x0, var y0, var x1, var y1])
        {
            var whole = Math.Min(height, width);
            return ((height - whole) / 2, (width - whole) / 2, whole);
        }
        var side = Math.Max(1, (int)Math.Round(Math.Min(wide ? double.MaxValue : HeadMargin * Math.Max(x1 - x0, y1 - y0), Math.Min(height, width))));
        return (Inside((y0 + y1 - side) / 2, height - side), Inside((x0 + x1 - side) / 2, width - side), side);

        static int Inside(int value, int most) => Math.Clamp(value, 0, most);
    }

    private static int[]? HeadBox(ImageExample example) =>
        PictureMetadata.Column<int[]>(example, "head_box") is [var x0, var y0, var x1, var y1] box && x1 > x0 && y1 > y0 ? box : null;
}
