using static TorchSharp.torch;

namespace Bruma.Gans;

/// <summary>Random changes that real and fake images go through alike before they are judged, differentiable: the discriminator of a small data set cannot learn it by heart.</summary>
/// <remarks>Zhao et al. 2020, arXiv:2006.10738: brightness, saturation, contrast; translation by up to an eighth; a square of half the size cut out.</remarks>
public static class DiffAugment
{
    private const int ShiftPart = 8; // an eighth
    private const int CutPart = 2; // a half

    /// <summary>Names of the groups, as options take them.</summary>
    public static readonly IReadOnlyList<string> Groups = ["color", "translation", "cutout"];

    /// <param name="images">[B, C, H, W] in [-1, 1].</param>
    /// <param name="groups">Some of <see cref="Groups"/>.</param>
    public static Tensor Apply(Tensor images, IReadOnlyCollection<string> groups, Generator random)
    {
        using var scope = NewDisposeScope();
        var (count, height, width) = (images.shape[0], images.shape[2], images.shape[3]);
        var x = images;
        if (groups.Contains("color"))
        {
            var draws = rand([3, count], generator: random);
            x = Brightness(x, draws[0]);
            x = x.shape[1] == 1 ? x : Saturation(x, draws[1]);
            x = Contrast(x, draws[2]);
        }
        if (groups.Contains("translation"))
            x = Translation(x, Draw(-ShiftOf(height), ShiftOf(height) + 1), Draw(-ShiftOf(width), ShiftOf(width) + 1));
        if (groups.Contains("cutout"))
        {
            var (cutHeight, cutWidth) = (CutOf(height), CutOf(width));
            x = Cutout(x, Draw(0, height + 1 - cutHeight % 2), Draw(0, width + 1 - cutWidth % 2), (cutHeight, cutWidth));
        }
        return ReferenceEquals(x, images) ? images : x.MoveToOuterDisposeScope();

        Tensor Draw(long low, long high) => randint(low, high, [count], int64, generator: random);
    }

    /// <summary>x + (u - 0.5).</summary>
    /// <param name="u">In [0, 1), [B].</param>
    public static Tensor Brightness(Tensor x, Tensor u) => x + (Wide(u) - 0.5);

    /// <summary>The distance to grey times 2 u.</summary>
    public static Tensor Saturation(Tensor x, Tensor u)
    {
        using var scope = NewDisposeScope();
        var grey = x.mean([1L], keepdim: true);
        return ((x - grey) * (Wide(u) * 2) + grey).MoveToOuterDisposeScope();
    }

    /// <summary>The distance to the mean times u + 0.5.</summary>
    public static Tensor Contrast(Tensor x, Tensor u)
    {
        using var scope = NewDisposeScope();
        var mean = x.mean([1L, 2L, 3L], keepdim: true);
        return ((x - mean) * (Wide(u) + 0.5) + mean).MoveToOuterDisposeScope();
    }

    /// <summary>out[i, j] = x[i + y, j + x], zero outside.</summary>
    /// <param name="shiftY">int64 [B].</param>
    /// <param name="shiftX">int64 [B].</param>
    public static Tensor Translation(Tensor x, Tensor shiftY, Tensor shiftX)
    {
        using var scope = NewDisposeScope();
        var (count, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3]);
        var rows = arange(height).unsqueeze(0) + shiftY.unsqueeze(1); // [B, H]
        var columns = arange(width).unsqueeze(0) + shiftX.unsqueeze(1); // [B, W]
        var inside = Inside(rows, height).unsqueeze(2).logical_and(Inside(columns, width).unsqueeze(1)).unsqueeze(1); // [B, 1, H, W]
        var moved = x.gather(2, rows.clamp(0, height - 1).view(count, 1, height, 1).expand(count, channels, height, width))
            .gather(3, columns.clamp(0, width - 1).view(count, 1, 1, width).expand(count, channels, height, width));
        return (moved * inside.to(x.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>A window of zeros whose middle is at (y, x); at the border it is squeezed in.</summary>
    /// <param name="size">Height and width of the window.</param>
    public static Tensor Cutout(Tensor x, Tensor y0, Tensor x0, (long Height, long Width) size)
    {
        using var scope = NewDisposeScope();
        var rows = Covered(y0, size.Height, x.shape[2]); // [B, H]
        var columns = Covered(x0, size.Width, x.shape[3]); // [B, W]
        var kept = rows.unsqueeze(2).logical_and(columns.unsqueeze(1)).logical_not().unsqueeze(1);
        return (x * kept.to(x.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>Which of the positions 0..length-1 are clamp(middle + i - size / 2) for some i.</summary>
    private static Tensor Covered(Tensor middle, long size, long length)
    {
        var first = (middle - size / 2).clamp(0, length - 1).unsqueeze(1);
        var last = (middle - size / 2 + size - 1).clamp(0, length - 1).unsqueeze(1);
        var places = arange(length).unsqueeze(0);
        return (places >= first).logical_and(places <= last);
    }

    private static Tensor Inside(Tensor places, long length) => (places >= 0).logical_and(places < length);

    private static long ShiftOf(long length) => (length + ShiftPart / 2) / ShiftPart;

    private static long CutOf(long length) => (length + CutPart / 2) / CutPart;

    private static Tensor Wide(Tensor u) => u.view(-1, 1, 1, 1);
}
