using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>How far two sets lie apart when each is taken for a normal distribution. With FID's Inception as the network this is FID.</summary>
/// <remarks>Heusel et al. 2017, arXiv:1706.08500: |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁C₂)^½). The last trace is the sum of the singular values of F₁ᵀF₂ with FᵢFᵢᵀ = Cᵢ:
/// exact also where covariances are singular (fewer vectors than dimensions), which a matrix square root is not.</remarks>
public static class FrechetDistance
{
    public static double Between(FeatureStatistics a, FeatureStatistics b)
    {
        if (a.Width != b.Width)
            throw new BrumaException($"features of width {b.Width} do not go with features of width {a.Width}; measure both sets with the same network.");
        if (a.Count == 0 || b.Count == 0)
            throw new BrumaException("a set without pictures has no Fréchet distance.");
        using var scope = NewDisposeScope();
        var (left, right) = (a.Factor(), b.Factor());
        var shared = left.shape[1] == 0 || right.shape[1] == 0 ? 0 : linalg.svdvals(left.t().matmul(right)).sum().item<double>();
        var traces = left.pow(2).sum().item<double>() + right.pow(2).sum().item<double>();
        return (a.Mean - b.Mean).pow(2).sum().item<double>() + traces - 2 * shared;
    }

    /// <summary>The same for a set whose statistics are kept and samples that change, several times faster and exact to about 1e-6 of the traces: for intervals, where that is plenty.</summary>
    /// <param name="samples">[M, D].</param>
    public static double Quick(FeatureStatistics reference, Tensor samples)
    {
        FeatureMatrix.RequireFinite(samples);
        using var scope = NewDisposeScope();
        var x = samples.to(float64);
        var mean = x.mean([0L]);
        x = (x - mean) / Math.Sqrt(Math.Max(1, samples.shape[0] - 1));
        var projected = x.matmul(reference.Factor()); // [M, rank]
        var gram = projected.shape[0] <= projected.shape[1] ? projected.matmul(projected.t()) : projected.t().matmul(projected);
        var shared = gram.numel() == 0 ? 0 : linalg.eigvalsh(gram).clamp_min(0).sqrt().sum().item<double>();
        return (reference.Mean - mean).pow(2).sum().item<double>() + reference.Factor().pow(2).sum().item<double>() + x.pow(2).sum().item<double>() - 2 * shared;
    }

    /// <param name="a">[N, D].</param>
    /// <param name="b">[M, D].</param>
    public static double Between(Tensor a, Tensor b)
    {
        using var first = FeatureStatistics.Of(a);
        using var second = FeatureStatistics.Of(b);
        return Between(first, second);
    }
}
