using static TorchSharp.torch;

namespace Bruma.Imaging;

public enum ResampleFilter
{
    Nearest,
    Box,
    Bilinear,
    Hamming,
    Bicubic,
    Lanczos,
}

/// <summary>Resizing exactly as PIL does it: the filter widens when shrinking, columns first, then rows (the other way round when the height shrinks much more), fixed point with 22 bits and 8 bits between the passes.</summary>
/// <remarks>Pillow, src/libImaging/Resample.c (behaviour; this is its own code).</remarks>
public static class Resampling
{
    private const int FractionBits = 32 - 8 - 2;

    /// <summary>Pillow 13 begins with the rows when the height shrinks "significantly more" than the width: at 1.26 times it does, at 1.05 it does not.</summary>
    private const double MuchMore = 1.15;

    /// <param name="image">uint8 [C, H, W].</param>
    /// <returns>uint8 [C, height, width].</returns>
    public static Tensor Resize(Tensor image, int width, int height, ResampleFilter filter)
    {
        if (filter == ResampleFilter.Nearest)
            return Nearest(image, width, height);
        using var scope = NewDisposeScope();
        var result = image.contiguous();
        var rowsFirst = (double)image.shape[1] / height > MuchMore * image.shape[2] / width;
        foreach (var columns in new[] { !rowsFirst, rowsFirst })
        {
            var (size, target) = columns ? ((int)image.shape[2], width) : ((int)image.shape[1], height);
            if (size != target)
                result = Pass(result, Coefficients(size, target, filter), target, columns);
        }
        return (ReferenceEquals(result, image) ? image.clone() : result).MoveToOuterDisposeScope();
    }

    private static Tensor Nearest(Tensor image, int width, int height)
    {
        using var scope = NewDisposeScope();
        return image.index_select(1, Sources((int)image.shape[1], height)).index_select(2, Sources((int)image.shape[2], width)).contiguous().MoveToOuterDisposeScope();

        static Tensor Sources(int size, int target)
        {
            var (sources, scale) = (new long[target], (double)size / target);
            var place = scale / 2;
            for (var i = 0; i < target; i++, place += scale) // summed up, with the roundings of PIL
                sources[i] = Math.Min((long)place, size - 1);
            return tensor(sources);
        }
    }

    /// <summary>For every target position: the first source position and the weights from there on.</summary>
    private static (int First, int[] Weights)[] Coefficients(int size, int target, ResampleFilter filter)
    {
        var scale = (double)size / target;
        var stretch = Math.Max(scale, 1);
        var support = Support(filter) * stretch;
        return [.. Enumerable.Range(0, target).Select(i =>
        {
            var centre = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - support + 0.5));
            var last = Math.Min(size, (int)(centre + support + 0.5));
            var weights = Enumerable.Range(first, last - first).Select(x => Weight(filter, (x - centre + 0.5) / stretch)).ToArray();
            var sum = weights.Sum();
            return (first, weights.Select(weight => Fixed(sum == 0 ? weight : weight / sum)).ToArray());
        })];
    }

    private static int Fixed(double weight) => (int)(weight * (1 << FractionBits) + (weight < 0 ? -0.5 : 0.5));

    private static double Support(ResampleFilter filter) => filter switch
    {
        ResampleFilter.Box => 0.5,
        ResampleFilter.Bilinear or ResampleFilter.Hamming => 1,
        ResampleFilter.Bicubic => 2,
        _ => 3,
    };

    private static double Weight(ResampleFilter filter, double x) => filter switch
    {
        ResampleFilter.Box => x is > -0.5 and <= 0.5 ? 1 : 0,
        ResampleFilter.Bilinear => Math.Max(0, 1 - Math.Abs(x)),
        ResampleFilter.Hamming => Math.Abs(x) is var a && a == 0 ? 1 : a >= 1 ? 0 : Sinc(a) * (0.54 + 0.46 * Math.Cos(Math.PI * a)),
        ResampleFilter.Bicubic => Cubic(Math.Abs(x)),
        _ => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0,
    };

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    /// <summary>Keys 1981 with a = -0.5.</summary>
    private static double Cubic(double x) => x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;

    private static unsafe Tensor Pass(Tensor image, (int First, int[] Weights)[] coefficients, int target, bool columns)
    {
        var (channels, height, width) = ((int)image.shape[0], (int)image.shape[1], (int)image.shape[2]);
        var result = columns ? empty([channels, height, target], uint8) : empty([channels, target, width], uint8);
        var source = (byte*)TensorMemory.Address(image);
        var destination = (byte*)TensorMemory.Address(result);
        for (var line = 0; line < channels * (columns ? height : target); line++)
            if (columns)
                for (var x = 0; x < target; x++)
                    destination[line * target + x] = Sum(source + (long)line * width + coefficients[x].First, 1, coefficients[x].Weights);
            else
                for (var (x, row) = (0, line % target); x < width; x++)
                    destination[(long)line * width + x] = Sum(source + ((long)(line / target) * height + coefficients[row].First) * width + x, width, coefficients[row].Weights);
        return result;
    }

    private static unsafe byte Sum(byte* source, int stride, int[] weights)
    {
        var sum = 1 << (FractionBits - 1);
        foreach (var weight in weights)
        {
            sum += *source * weight;
            source += stride;
        }
        return (byte)Math.Clamp(sum >> FractionBits, 0, 255);
    }
}
