using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>How many different pictures a set effectively holds: from 1 (all alike) to its size.</summary>
/// <remarks>Friedman and Dieng 2023, arXiv:2210.02410: the exponential of the entropy of the eigenvalues of K / n, K the cosines. Depends on n: compare only at equal n.
/// The order-2 variant is the inverse of the eigenvalues' sum of squares and settles at smaller n.</remarks>
public static class VendiScore
{
    /// <param name="features">[N, D].</param>
    /// <returns>Order 1 (Vendi) and order 2.</returns>
    public static (double Entropy, double Collision) Of(Tensor features)
    {
        FeatureMatrix.RequireFinite(features);
        using var scope = NewDisposeScope();
        var x = FeatureMatrix.Unit(features);
        var gram = x.shape[0] <= x.shape[1] ? x.matmul(x.t()) : x.t().matmul(x); // the same eigenvalues but for zeros
        var values = linalg.eigvalsh(gram / x.shape[0]).clamp_min(0);
        return ((-xlogy(values, values).sum()).exp().item<double>(), 1 / values.pow(2).sum().item<double>());
    }
}
