using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Sinusoidal embedding of times.</summary>
/// <remarks>Vaswani et al. 2017, arXiv:1706.03762, in the layout of diffusion models: sines and cosines in two halves.</remarks>
public static class SinusoidalEmbedding
{
    /// <param name="times">Times, [B], any type.</param>
    /// <param name="width">Width D, even.</param>
    /// <param name="cosineFirst">Cosines in the first half.</param>
    /// <param name="shift">Taken off the number of frequencies in the exponent: 0 or 1.</param>
    /// <returns>[B, D], fp32.</returns>
    public static Tensor Of(Tensor times, int width, bool cosineFirst, double shift)
    {
        using var scope = NewDisposeScope();
        var half = width / 2;
        var frequencies = (arange(half, float32) * (-Math.Log(10_000) / (half - shift))).exp();
        var angles = times.to(float32).unsqueeze(1) * frequencies; // [B, D/2]
        var result = cosineFirst ? cat([angles.cos(), angles.sin()], 1) : cat([angles.sin(), angles.cos()], 1);
        return result.MoveToOuterDisposeScope();
    }
}
