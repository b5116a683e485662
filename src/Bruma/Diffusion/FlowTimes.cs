using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>How the times of rectified flow are drawn in training: 0 is data, 1 is noise.</summary>
public enum FlowSampling
{
    Uniform,

    /// <summary>The sigmoid of a normal number: most often in the middle.</summary>
    LogitNormal,

    /// <summary>Heavier at both ends or in the middle, by a scale.</summary>
    Mode,
}

/// <summary>Times and weights of rectified flow. All tensors are [B].</summary>
/// <remarks>Esser et al. 2024, arXiv:2403.03206, section 3.1.</remarks>
public static class FlowTimes
{
    /// <summary>The scale of mode sampling that its authors found best.</summary>
    public const double BestModeScale = 1.29;

    /// <param name="normal">Standard normal.</param>
    public static Tensor LogitNormal(Tensor normal, double mean = 0, double deviation = 1)
    {
        using var scope = NewDisposeScope();
        return (mean + deviation * normal).sigmoid().MoveToOuterDisposeScope();
    }

    /// <summary>1 - u - s (cos²(π u / 2) - 1 + u).</summary>
    /// <param name="uniform">In [0, 1).</param>
    public static Tensor Mode(Tensor uniform, double scale = BestModeScale)
    {
        using var scope = NewDisposeScope();
        return (1 - uniform - scale * ((uniform * (Math.PI / 2)).cos().square() - 1 + uniform)).MoveToOuterDisposeScope();
    }

    /// <summary>s t / (1 + (s - 1) t): towards noise for s above 1, as larger pictures need.</summary>
    public static Tensor Shifted(Tensor times, double shift)
    {
        using var scope = NewDisposeScope();
        return (shift * times / (1 + (shift - 1) * times)).MoveToOuterDisposeScope();
    }

    /// <summary>Weight of each time in the loss.</summary>
    /// <param name="name"><c>none</c>, <c>sigma_sqrt</c> (t^-2) or <c>cosmap</c> (2 / (π (1 - 2t + 2t²))).</param>
    /// <exception cref="BrumaException">No such weighting.</exception>
    public static Tensor Weight(string name, Tensor times)
    {
        using var scope = NewDisposeScope();
        var weight = name switch
        {
            "none" => ones_like(times),
            "sigma_sqrt" => times.pow(-2),
            "cosmap" => 2 / (Math.PI * (1 - 2 * times + 2 * times.square())),
            _ => throw new BrumaException($"flow weighting {name}: no such weighting; known are none, sigma_sqrt and cosmap."),
        };
        return weight.MoveToOuterDisposeScope();
    }
}
