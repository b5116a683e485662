using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>Mean and covariance of feature vectors, gathered batch by batch in float64: what a Fréchet distance needs, in memory that does not grow with the set.</summary>
/// <remarks>Chan, Golub and LeVeque 1979: two parts merge exactly.</remarks>
public sealed class FeatureStatistics : IDisposable
{
    /// <summary>Below this share of the largest eigenvalue a direction counts as empty: rounding, of which a root would make 1e-8.</summary>
    private const double Empty = 1e-15;

    private readonly Tensor _mean;
    private readonly Tensor _scatter;
    private Tensor? _factor;

    /// <param name="width">Width D of the vectors.</param>
    public FeatureStatistics(int width)
    {
        Width = width;
        _mean = zeros(width, float64).DetachFromDisposeScope();
        _scatter = zeros(width, width, float64).DetachFromDisposeScope();
    }

    public int Width { get; }

    /// <summary>Vectors seen.</summary>
    public long Count { get; private set; }

    /// <summary>float64 [D]; belongs to the statistics.</summary>
    public Tensor Mean => _mean;

    /// <summary>Statistics of a whole set.</summary>
    /// <param name="features">[N, D].</param>
    public static FeatureStatistics Of(Tensor features)
    {
        var statistics = new FeatureStatistics((int)features.shape[1]);
        statistics.Add(features);
        return statistics;
    }

    /// <summary>Takes a batch in.</summary>
    /// <param name="features">[B, D]; the order of batches changes rounding only.</param>
    /// <exception cref="BrumaException">A value is not finite.</exception>
    public void Add(Tensor features)
    {
        if (features.shape[0] == 0)
            return;
        FeatureMatrix.RequireFinite(features);
        using var scope = NewDisposeScope();
        var x = features.to(float64);
        var mean = x.mean([0L]);
        var centred = x - mean;
        Merge(features.shape[0], mean, centred.t().matmul(centred));
    }

    /// <summary>Takes another part's vectors in.</summary>
    public void Merge(FeatureStatistics other)
    {
        if (other.Width != Width)
            throw new BrumaException($"features of width {other.Width} do not go with features of width {Width}; measure both sets with the same network.");
        if (other.Count > 0)
            Merge(other.Count, other._mean, other._scatter);
    }

    /// <summary>Unbiased covariance (n - 1), float64 [D, D]; zeros for a single vector.</summary>
    public Tensor Covariance() => _scatter / Math.Max(1, Count - 1);

    /// <summary>A matrix F with F Fᵀ the covariance, without its empty directions: float64 [D, rank]. Kept, since it is the costly part.</summary>
    internal Tensor Factor()
    {
        if (_factor is not null)
            return _factor;
        using var scope = NewDisposeScope();
        var (values, vectors) = linalg.eigh(Covariance());
        var first = (int)(values <= Math.Max(values[-1].item<double>() * Empty * Width, double.Epsilon)).sum().item<long>(); // ascending
        _factor = (vectors.narrow(1, first, Width - first) * values.narrow(0, first, Width - first).sqrt()).DetachFromDisposeScope();
        return _factor;
    }

    public void Dispose()
    {
        _mean.Dispose();
        _scatter.Dispose();
        _factor?.Dispose();
    }

    private void Merge(long count, Tensor mean, Tensor scatter)
    {
        using var scope = NewDisposeScope();
        var difference = mean - _mean;
        var total = Count + count;
        _scatter.add_(scatter).add_(difference.unsqueeze(1) * difference * ((double)Count * count / total));
        _mean.add_(difference * ((double)count / total));
        Count = total;
        _factor?.Dispose();
        _factor = null;
    }
}
