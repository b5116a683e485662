using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <param name="All">Over all rows.</param>
/// <param name="PerSplit">Over each contiguous part.</param>
/// <param name="Mean">Of the parts: the number that papers report.</param>
/// <param name="Deviation">Of the parts, divided by n.</param>
public sealed record InceptionScoreResult(double All, IReadOnlyCollection<double> PerSplit, double Mean, double Deviation);

/// <summary>How surely a classifier names each picture, and how evenly it names all classes: from 1 to the number of classes.</summary>
/// <remarks>Salimans et al. 2016, arXiv:1606.03498. Comparable with papers only with FID's Inception and its logits without bias.</remarks>
public static class InceptionScore
{
    /// <param name="logits">[N, K].</param>
    /// <param name="splits">Contiguous parts; fewer where there are fewer rows.</param>
    public static InceptionScoreResult Of(Tensor logits, int splits = 10)
    {
        FeatureMatrix.RequireFinite(logits);
        using var scope = NewDisposeScope();
        var probabilities = nn.functional.softmax(logits.to(float64), 1);
        var count = (int)logits.shape[0];
        splits = Math.Min(splits, count);
        var parts = Enumerable.Range(0, splits).Select(i => (First: (long)i * count / splits, End: (long)(i + 1) * count / splits)).Select(part => Score(probabilities.narrow(0, part.First, part.End - part.First))).ToArray();
        var mean = parts.Average();
        return new InceptionScoreResult(Score(probabilities), parts, mean, Math.Sqrt(parts.Average(part => (part - mean) * (part - mean))));
    }

    private static double Score(Tensor probabilities)
    {
        using var scope = NewDisposeScope();
        var marginal = probabilities.mean([0L]);
        return (xlogy(probabilities, probabilities) - xlogy(probabilities, marginal)).sum(1).mean().exp().item<double>();
    }
}
