using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>Quality and variety told apart, each from 0 to 1 (density may exceed 1).</summary>
/// <param name="Precision">Share of samples that lie within the reference.</param>
/// <param name="Recall">Share of the reference that lies within the samples.</param>
/// <param name="Density">In how many reference neighbourhoods a sample lies, of k expected.</param>
/// <param name="Coverage">Share of reference neighbourhoods with a sample in them.</param>
public sealed record NeighbourhoodResult(double Precision, double Recall, double Density, double Coverage)
{
    /// <summary>Harmonic mean of precision and recall.</summary>
    public double FScore => Precision + Recall == 0 ? 0 : 2 * Precision * Recall / (Precision + Recall);
}

/// <summary>Improved precision and recall, density and coverage: balls around every vector that reach to its k-th neighbour.</summary>
/// <remarks>Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797, whose package <c>prdc</c> gives the same numbers.</remarks>
public static class Neighbourhoods
{
    /// <param name="reference">[N, D].</param>
    /// <param name="samples">[M, D].</param>
    /// <param name="k">The vector itself does not count as its neighbour.</param>
    public static NeighbourhoodResult Measure(Tensor reference, Tensor samples, int k)
    {
        FeatureMatrix.RequirePair(reference, samples, k + 1);
        using var radii = Radii(reference, k);
        return Measure(reference, samples, k, radii);
    }

    /// <summary>The same where the reference's <see cref="Radii"/> are known.</summary>
    internal static NeighbourhoodResult Measure(Tensor reference, Tensor samples, int k, Tensor real)
    {
        FeatureMatrix.RequirePair(reference, samples, k + 1);
        using var scope = NewDisposeScope();
        var fake = Radii(samples, k);
        var (within, recalled, covered) = (zeros(samples.shape[0], int64), 0L, 0L);
        FeatureMatrix.Distances(reference, samples, (at, distances) =>
        {
            var radii = real.narrow(0, at, distances.shape[0]);
            within.add_((distances < radii.unsqueeze(1)).sum([0L]));
            recalled += (distances < fake).any(1).sum().item<long>();
            covered += (distances.amin([1L]) < radii).sum().item<long>();
        });
        var (n, m) = ((double)reference.shape[0], (double)samples.shape[0]);
        return new NeighbourhoodResult((within > 0).sum().item<long>() / m, recalled / n, within.sum().item<long>() / (k * m), covered / n);
    }

    /// <summary>Distance of every vector to its k-th neighbour in the same set, float64 [N].</summary>
    public static Tensor Radii(Tensor features, int k)
    {
        using var scope = NewDisposeScope();
        var radii = new List<Tensor>();
        FeatureMatrix.Distances(features, features, (at, distances) =>
        {
            distances.diagonal(at).fill_(0); // the vector itself, whose distance rounding may have lifted
            radii.Add(distances.topk(k + 1, 1, largest: false).Item1.select(1, k).clone().DetachFromDisposeScope());
        });
        var result = cat(radii);
        foreach (var part in radii)
            part.Dispose();
        return result.MoveToOuterDisposeScope();
    }
}
