using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Fixed encodings of times and positions by sines and cosines of geometrically spaced frequencies.</summary>
/// <remarks>Vaswani et al. 2017, arXiv:1706.03762, section 3.5; Ho et al. 2020, arXiv:2006.11239, appendix B.</remarks>
public static class TimeEncoding
{
    /// <summary>Encodes times; frequencies run from 1 down to 1 / 10000.</summary>
    /// <param name="times">[B], also fractional.</param>
    /// <param name="width">E, the width of the result; an odd one ends with a zero.</param>
    /// <param name="cosineFirst">diffusers' <c>flip_sin_to_cos</c>.</param>
    /// <param name="shift">diffusers' <c>freq_shift</c>: 1 makes the last frequency exactly 1 / 10000.</param>
    /// <returns>fp32, [B, E].</returns>
    public static Tensor Sinusoidal(Tensor times, long width, bool cosineFirst, double shift)
    {
        using var scope = NewDisposeScope();
        var half = width / 2;
        var exponent = arange(half, float32, times.device) * -Math.Log(10000) / (half - shift);
        var angles = times.to(float32).unsqueeze(-1) * exponent.exp(); // [B, E / 2]
        var (sine, cosine) = (angles.sin(), angles.cos());
        var result = cosineFirst ? cat([cosine, sine], -1) : cat([sine, cosine], -1);
        return (width % 2 == 0 ? result : nn.functional.pad(result, (0, 1))).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes the places of a grid: the first half of the width tells the column, the second the row.</summary>
    /// <param name="height">Rows of the grid.</param>
    /// <param name="width">Columns of the grid.</param>
    /// <param name="channels">D, divisible by 4.</param>
    /// <param name="baseSize">The side of the grid in training: larger grids are squeezed into its coordinates.</param>
    /// <returns>fp32, [height * width, D].</returns>
    public static Tensor Grid(long height, long width, long channels, long baseSize)
    {
        using var scope = NewDisposeScope();
        var rows = arange(height, float32) / ((double)height / baseSize);
        var columns = arange(width, float32) / ((double)width / baseSize);
        var column = Axis(columns, channels / 2).unsqueeze(0).expand(height, width, channels / 2);
        var row = Axis(rows, channels / 2).unsqueeze(1).expand(height, width, channels / 2);
        return cat([column, row], -1).reshape(height * width, channels).to(float32).MoveToOuterDisposeScope();
    }

    private static Tensor Axis(Tensor positions, long width)
    {
        var frequencies = pow(10000.0, arange(width / 2, float64) / (-width / 2.0));
        var angles = positions.to(float64).unsqueeze(-1) * frequencies;
        return cat([angles.sin(), angles.cos()], -1);
    }
}
