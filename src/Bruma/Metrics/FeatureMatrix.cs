using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>Arithmetic over feature vectors that several measures share: float64, in blocks, so that memory stays bounded.</summary>
internal static class FeatureMatrix
{
    private const int BlockValues = 1 << 24; // 128 MB of float64

    /// <exception cref="BrumaException">A value is not finite; the message names the first such row.</exception>
    public static void RequireFinite(Tensor features)
    {
        using var scope = NewDisposeScope();
        var bad = features.isfinite().all(1).logical_not();
        if (bad.any().item<bool>())
            throw new BrumaException($"vector {bad.to(int32).argmax().item<long>()} of {features.shape[0]} holds NaN or infinity: the picture it came from is broken, or the model that drew it has diverged; remove it, or measure an earlier checkpoint.");
    }

    /// <exception cref="BrumaException">The sets do not go together.</exception>
    public static void RequirePair(Tensor a, Tensor b, long least = 1)
    {
        if (a.shape[1] != b.shape[1])
            throw new BrumaException($"features of width {a.shape[1]} do not go with features of width {b.shape[1]}; measure both sets with the same network.");
        if (Math.Min(a.shape[0], b.shape[0]) < least)
            throw new BrumaException($"{Math.Min(a.shape[0], b.shape[0])} {(Math.Min(a.shape[0], b.shape[0]) == 1 ? "vector is" : "vectors are")} too few; at least {least} are needed in each set.");
        RequireFinite(a);
        RequireFinite(b);
    }

    /// <summary>Calls <paramref name="use"/> with the Euclidean distances of every block of rows of <paramref name="a"/> to all rows of <paramref name="b"/>.</summary>
    /// <param name="use">First row of the block, and distances, float64 [rows, M]; they live only during the call.</param>
    public static void Distances(Tensor a, Tensor b, Action<long, Tensor> use)
    {
        using var scope = NewDisposeScope();
        var centre = b.to(float64).mean([0L]); // differences of large numbers lose digits
        var (x, y) = (a.to(float64) - centre, b.to(float64) - centre);
        var (yt, ySquares) = (y.t().contiguous(), y.pow(2).sum(1));
        var rows = Math.Clamp(BlockValues / Math.Max(1, b.shape[0]), 1, a.shape[0]);
        for (var at = 0L; at < a.shape[0]; at += rows)
        {
            using var block = NewDisposeScope();
            var part = x.narrow(0, at, Math.Min(rows, a.shape[0] - at));
            use(at, part.matmul(yt).mul_(-2).add_(part.pow(2).sum(1, keepdim: true)).add_(ySquares).clamp_min_(0).sqrt_());
        }
    }

    /// <summary>Rows of length 1; a zero row stays zero.</summary>
    public static Tensor Unit(Tensor features)
    {
        using var scope = NewDisposeScope();
        var x = features.to(float64);
        return (x / x.pow(2).sum(1, keepdim: true).sqrt().clamp_min(1e-300)).MoveToOuterDisposeScope();
    }

    /// <summary>Some rows, drawn without replacement; the same for the same seed.</summary>
    public static Tensor Draw(Tensor features, int count, Generator generator)
    {
        using var scope = NewDisposeScope();
        return count >= features.shape[0] ? features.alias().MoveToOuterDisposeScope() : features.index_select(0, Indices((int)features.shape[0], count, generator)).MoveToOuterDisposeScope();
    }

    /// <summary>Indices drawn without replacement, int64 [count].</summary>
    public static Tensor Indices(int from, int count, Generator generator)
    {
        using var scope = NewDisposeScope();
        return randperm(from, generator: generator).narrow(0, 0, count).clone().MoveToOuterDisposeScope();
    }
}
