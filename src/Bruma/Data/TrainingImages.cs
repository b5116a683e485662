using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Data;

/// <summary>All pictures of a source at one size in memory. Broken ones are left out and named.</summary>
public sealed class TrainingImages : IDisposable
{
    private TrainingImages(Tensor pixels, long[] classes, IReadOnlyList<string> skipped) => (Pixels, Classes, Skipped) = (pixels, classes, skipped);

    /// <summary>uint8 [N, C, S, S], with S the size plus the margin to crop from.</summary>
    public Tensor Pixels { get; }

    /// <summary>Class of every picture; empty without classes.</summary>
    public IReadOnlyList<long> Classes { get; }

    /// <summary>Why pictures were left out, each naming its file.</summary>
    public IReadOnlyList<string> Skipped { get; }

    public int Count => (int)Pixels.shape[0];

    private const int LargestRatio = 20;

    /// <summary>Short side to the size by Lanczos, centre crop; decoded on all processors, in the order of the source.</summary>
    /// <exception cref="BrumaException">No picture is usable.</exception>
    public static TrainingImages Load(ImageSource source, int size)
    {
        var pictures = new Tensor?[source.Examples.Count];
        var errors = new string?[source.Examples.Count];
        Parallel.For(0, pictures.Length, i =>
        {
            try
            {
                using var scope = NewDisposeScope();
                var picture = source.Load(i);
                RequireArea(source.Examples[i].Name, picture);
                pictures[i] = Square(picture, size, source.Channels).DetachFromDisposeScope();
            }
            catch (BrumaException e)
            {
                errors[i] = e.Message;
            }
        });
        var usable = Enumerable.Range(0, pictures.Length).Where(i => pictures[i] is not null).ToList();
        if (usable.Count == 0)
            throw new BrumaException($"{source.Name}: none of its {pictures.Length} pictures can be decoded; the first: {errors[0]}");
        var pixels = stack([.. usable.Select(i => pictures[i]!)]).DetachFromDisposeScope();
        foreach (var picture in pictures)
            picture?.Dispose();
        return new TrainingImages(pixels, source.ClassNames.Count > 0 ? [.. usable.Select(i => (long)source.Examples[i].Class!.Value)] : [], [.. errors.OfType<string>()]);
    }

    public void Dispose() => Pixels.Dispose();

    private static void RequireArea(string name, Tensor picture)
    {
        var (height, width) = (picture.shape[1], picture.shape[2]);
        if (Math.Max(height, width) > LargestRatio * Math.Min(height, width))
            throw new BrumaException($"{name}: {width}x{height} is a strip, of which a square shows nothing; remove it.");
    }

    private static Tensor Square(Tensor image, int size, int channels)
    {
        var (height, width) = ((int)image.shape[1], (int)image.shape[2]);
        var scale = (double)size / Math.Min(height, width);
        var (newHeight, newWidth) = height < width ? (size, Math.Max(size, (int)Math.Round(width * scale))) : (Math.Max(size, (int)Math.Round(height * scale)), size);
        var resized = Resampling.Resize(image, newWidth, newHeight, ResampleFilter.Lanczos);
        return resized.narrow(1, (newHeight - size) / 2, size).narrow(2, (newWidth - size) / 2, size).expand(channels, size, size).contiguous();
    }
}
