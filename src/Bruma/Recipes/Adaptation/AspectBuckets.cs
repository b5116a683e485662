using Bruma.Data;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Shapes for pictures that keep their proportions: none larger than the square, with sides that the network can halve as often as it must.</summary>
/// <remarks>Aspect ratio bucketing, as NovelAI published it in 2022 and kohya's scripts have it.</remarks>
public sealed class AspectBuckets
{
    private const int MostStretch = 2; // of the square's side, and so a ratio of 4 at most

    /// <param name="resolution">Side of the square of the same area.</param>
    /// <param name="step">Sides are multiples of it.</param>
    public AspectBuckets(int resolution, int step)
    {
        var area = (long)resolution * resolution;
        var shapes = new HashSet<PictureSize>();
        for (var width = Math.Max(step, resolution / MostStretch / step * step); width <= resolution * MostStretch; width += step)
        {
            var height = (int)Math.Min(area / width / step * step, (long)resolution * MostStretch);
            if (height >= step)
                shapes.UnionWith([new PictureSize(height, width), new PictureSize(width, height)]);
        }
        Shapes = [.. shapes.OrderBy(shape => (double)shape.Width / shape.Height).ThenBy(shape => shape.Width)];
    }

    /// <summary>From the tallest to the widest.</summary>
    public IReadOnlyList<PictureSize> Shapes { get; }

    /// <summary>The shape whose proportions come nearest; of several the largest.</summary>
    public PictureSize Of(int height, int width) =>
        Shapes.MinBy(shape => (Math.Round(Math.Abs(Math.Log((double)shape.Width / shape.Height * height / width)), 9), -(long)shape.Width * shape.Height));

    /// <summary>The middle of a picture in its shape, as much of it as fits.</summary>
    /// <param name="picture">uint8 [1 or 3, H, W].</param>
    /// <returns>uint8 [3, h, w].</returns>
    public Tensor Cut(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var (height, width) = ((int)picture.shape[1], (int)picture.shape[2]);
        var shape = Of(height, width);
        var scale = Math.Max((double)shape.Height / height, (double)shape.Width / width);
        var (rows, columns) = (Part(shape.Height, height), Part(shape.Width, width));
        var middle = picture.narrow(1, (height - rows) / 2, rows).narrow(2, (width - columns) / 2, columns).expand(3, -1, -1).contiguous();
        return Resampling.Resize(middle, shape.Width, shape.Height, ResampleFilter.Bicubic).MoveToOuterDisposeScope();

        int Part(int wanted, int most) => Math.Clamp((int)Math.Round(wanted / scale), 1, most);
    }
}

/// <summary>Which pictures a micro-batch of one shape has: every epoch has each shape's batches once, in another order.</summary>
/// <param name="counts">Pictures of each shape.</param>
public sealed class BucketOrder(long seed, IReadOnlyList<int> counts, int batchSize)
{
    private readonly int[] _batches = [.. counts.Select(count => (count + batchSize - 1) / batchSize)];

    /// <returns>The shape of micro-batch n, and the position of its first picture in the endless stream of that shape.</returns>
    public (int Bucket, long Position) At(long n)
    {
        var total = _batches.Sum();
        var (epoch, place) = (n / total, ShuffledOrder.At(seed, n, total));
        for (var bucket = 0; ; place -= _batches[bucket++])
            if (place < _batches[bucket])
                return (bucket, (epoch * _batches[bucket] + place) * batchSize);
    }
}
