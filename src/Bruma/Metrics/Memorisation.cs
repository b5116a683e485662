using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>The nearest training vectors of every sample.</summary>
/// <param name="Indices">int64 [N, k], nearest first.</param>
/// <param name="Distances">Euclidean, float64 [N, k].</param>
public sealed record NearestResult(Tensor Indices, Tensor Distances) : IDisposable
{
    public void Dispose()
    {
        Indices.Dispose();
        Distances.Dispose();
    }
}

/// <summary>Whether a model draws its training pictures again.</summary>
/// <remarks>The ratio of the nearest distance to the mean of those around it is calibrated: it does not depend on the scale of the features or on how crowded a place is
/// (Yoon et al. 2023; Somepalli et al. 2023, arXiv:2212.03860, for copies in feature space).</remarks>
public static class Memorisation
{
    /// <summary>Below this ratio of d₁ to the mean of d₂ to d₅₁ a sample counts as a copy.</summary>
    public const double CopyThreshold = 1.0 / 3;

    private const int CopyNeighbours = 50;
    private const double EqualCosine = 0.9999;

    /// <param name="samples">[N, D].</param>
    /// <param name="training">[M, D].</param>
    /// <param name="k">Neighbours; fewer where the training set is smaller.</param>
    public static NearestResult Nearest(Tensor samples, Tensor training, int k)
    {
        FeatureMatrix.RequirePair(samples, training);
        using var scope = NewDisposeScope();
        k = (int)Math.Min(k, training.shape[0]);
        var (indices, distances) = (zeros([samples.shape[0], k], int64), zeros([samples.shape[0], k], float64));
        FeatureMatrix.Distances(samples, training, (at, block) =>
        {
            var rows = block.shape[0];
            var near = block.topk(k, 1, largest: false, sorted: true).Item2;
            for (var i = 0L; i < rows; i++) // anew without the cancellation of the fast form: a copy has distance 0
            {
                using var row = NewDisposeScope();
                var exact = (training.index_select(0, near[i]).to(float64) - samples[at + i].to(float64)).pow(2).sum(1).sqrt();
                var (sorted, order) = exact.sort(0, stable: true);
                indices[at + i] = near[i].index_select(0, order);
                distances[at + i] = sorted;
            }
        });
        return new NearestResult(indices.MoveToOuterDisposeScope(), distances.MoveToOuterDisposeScope());
    }

    /// <summary>d₁ / (α · mean of the n smallest distances, d₁ included), float64 [N].</summary>
    public static Tensor CalibratedRatio(Tensor samples, Tensor training, double alpha, int neighbours)
    {
        using var scope = NewDisposeScope();
        using var nearest = Nearest(samples, training, neighbours);
        return (nearest.Distances.select(1, 0) / (alpha * nearest.Distances.mean([1L])).clamp_min(1e-300)).MoveToOuterDisposeScope();
    }

    /// <summary>d₁ / mean(d₂ … d₅₁), float64 [N]; NaN-free: 0 where all distances are 0.</summary>
    /// <param name="nearest">At least two neighbours; up to 51 count.</param>
    public static Tensor CopyRatio(NearestResult nearest)
    {
        using var scope = NewDisposeScope();
        var others = Math.Min(CopyNeighbours, nearest.Distances.shape[1] - 1);
        if (others < 1)
            throw new BrumaException("copies are told by the second neighbour: the reference needs at least 2 pictures.");
        return (nearest.Distances.select(1, 0) / nearest.Distances.narrow(1, 1, others).mean([1L]).clamp_min(1e-300)).MoveToOuterDisposeScope();
    }

    /// <summary>Nearest neighbours as <see cref="CopyRatio"/> needs them.</summary>
    public static NearestResult NearestForCopies(Tensor samples, Tensor training) => Nearest(samples, training, CopyNeighbours + 1);

    /// <summary>Largest cosine of every sample to a training vector, float64 [N].</summary>
    public static Tensor MaxCosine(Tensor samples, Tensor training)
    {
        FeatureMatrix.RequirePair(samples, training);
        using var scope = NewDisposeScope();
        return FeatureMatrix.Unit(samples).matmul(FeatureMatrix.Unit(training).t()).amax([1L]).MoveToOuterDisposeScope();
    }

    /// <summary>Share of samples that look like an earlier sample of the same set (cosine above 0.9999): what a collapsed generator draws.</summary>
    public static double Duplicates(Tensor samples)
    {
        FeatureMatrix.RequireFinite(samples);
        using var scope = NewDisposeScope();
        var unit = FeatureMatrix.Unit(samples);
        var repeated = 0L;
        for (var i = 1L; i < samples.shape[0]; i++)
        {
            using var row = NewDisposeScope();
            if (unit.narrow(0, 0, i).matmul(unit[i]).max().item<double>() > EqualCosine)
                repeated++;
        }
        return (double)repeated / samples.shape[0];
    }
}
