using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Every pair of a picture and a caption is its own question: do they belong together?</summary>
/// <remarks>Zhai et al. 2023, arXiv:2303.15343 (SigLIP), with any number of right captions for a picture.</remarks>
public static class SigmoidContrast
{
    /// <param name="pictures">Unit vectors, fp32 [N, D].</param>
    /// <param name="captions">Unit vectors, fp32 [M, D].</param>
    /// <param name="belong">[N, M], true where they belong together.</param>
    /// <param name="logScale">Log of the factor on similarities, [1].</param>
    /// <param name="bias">[1].</param>
    /// <returns>The sum over pairs per picture, 0-D.</returns>
    public static Tensor Loss(Tensor pictures, Tensor captions, Tensor belong, Tensor logScale, Tensor bias)
    {
        using var scope = NewDisposeScope();
        var logits = logScale.to(float32).exp() * pictures.matmul(captions.t()) + bias.to(float32);
        var signs = belong.to(float32) * 2 - 1;
        return (nn.functional.softplus(-signs * logits).sum() / pictures.shape[0]).MoveToOuterDisposeScope();
    }
}
