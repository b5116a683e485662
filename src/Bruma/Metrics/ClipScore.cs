using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>How well pictures fit their texts, by CLIP: 0 to 100.</summary>
/// <remarks>Hessel et al. 2021, arXiv:2104.08718, with the factor 100 of torchmetrics: 100 max(cosine, 0).</remarks>
public static class ClipScore
{
    /// <summary>Cosine of every pair, [B].</summary>
    /// <param name="images">CLIP's picture vectors, [B, P], of any length.</param>
    /// <param name="texts">CLIP's text vectors, [B, P].</param>
    public static Tensor Cosine(Tensor images, Tensor texts)
    {
        using var scope = NewDisposeScope();
        return (FeatureMatrix.Unit(images) * FeatureMatrix.Unit(texts)).sum(1).MoveToOuterDisposeScope();
    }

    /// <summary>Score of every pair, float64 [B].</summary>
    public static Tensor PerPair(Tensor images, Tensor texts)
    {
        using var scope = NewDisposeScope();
        return (100 * Cosine(images, texts).clamp_min(0)).MoveToOuterDisposeScope();
    }
}
