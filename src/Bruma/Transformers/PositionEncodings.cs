using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>Fixed ways to tell positions.</summary>
public static class PositionEncodings
{
    /// <summary>Sines at even and cosines at odd places, of geometrically spaced frequencies.</summary>
    /// <remarks>Vaswani et al. 2017, arXiv:1706.03762, section 3.5.</remarks>
    /// <param name="positions">Any shape [...].</param>
    /// <param name="width">D.</param>
    /// <returns>fp32, [..., D].</returns>
    public static Tensor Sinusoidal(Tensor positions, long width, double theta = 10000)
    {
        using var scope = NewDisposeScope();
        var frequencies = (arange(0, width, 2, float64, positions.device) * (-Math.Log(theta) / width)).exp();
        var angles = positions.to(float64).unsqueeze(-1) * frequencies; // [..., D / 2 rounded up]
        var pairs = stack([angles.sin(), angles.cos()], -1).flatten(-2);
        return pairs.narrow(-1, 0, width).to(float32).MoveToOuterDisposeScope();
    }

    /// <summary>Scores that fall with the distance, each head at a slope of its own.</summary>
    /// <remarks>Press, Smith and Lewis 2022, arXiv:2108.12409: slopes 2^(-8 h / N), h from 1.</remarks>
    /// <param name="past">Position of the first query.</param>
    /// <returns>fp32, [N, Tq, Tk].</returns>
    public static Tensor Alibi(long heads, long queries, long keys, long past = 0, Device? device = null)
    {
        using var scope = NewDisposeScope();
        var distance = (arange(keys, float32, device).unsqueeze(0) - arange(past, past + queries, float32, device).unsqueeze(1)).abs();
        var slopes = pow(2.0, arange(1, heads + 1, float32, device) * (-8.0 / heads));
        return (-slopes.view(-1, 1, 1) * distance).MoveToOuterDisposeScope();
    }
}
