using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>T5's distances between query and key, near ones exact, far ones in ever wider buckets.</summary>
/// <remarks>Raffel et al. 2020, arXiv:1910.10683, section 2.1.</remarks>
/// <param name="Buckets">How many there are, both directions together.</param>
/// <param name="MaxDistance">From here on all distances share a bucket.</param>
/// <param name="Bidirectional">Whether keys behind the query have buckets of their own; else they share that of distance 0.</param>
public sealed record RelativeBuckets(int Buckets, int MaxDistance, bool Bidirectional)
{
    /// <param name="queries">Their number; the last is at the position of the last key where <paramref name="past"/> says so.</param>
    /// <param name="past">Position of the first query.</param>
    /// <returns>int64, [Tq, Tk].</returns>
    public Tensor Of(long queries, long keys, long past, Device? device = null)
    {
        using var scope = NewDisposeScope();
        var distance = arange(keys, int64, device).unsqueeze(0) - arange(past, past + queries, int64, device).unsqueeze(1); // key behind query is positive
        var buckets = Bidirectional ? Buckets / 2 : Buckets;
        var offset = Bidirectional ? (distance > 0).to(int64) * buckets : zeros_like(distance);
        distance = Bidirectional ? distance.abs() : (-distance).clamp_min(0);

        var exact = buckets / 2;
        var wide = exact + ((distance.to(float32).clamp_min(1) / exact).log() / Math.Log((double)MaxDistance / exact) * (buckets - exact)).to(int64);
        return (offset + where(distance < exact, distance, wide.clamp_max(buckets - 1))).MoveToOuterDisposeScope();
    }
}
