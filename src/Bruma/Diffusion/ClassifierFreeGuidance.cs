using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>Steers a conditional model away from what it would draw unconditionally.</summary>
/// <remarks>Ho and Salimans 2022, arXiv:2207.12598.</remarks>
public static class ClassifierFreeGuidance
{
    /// <param name="unconditional">[B, C, H, W].</param>
    /// <param name="conditional">[B, C, H, W].</param>
    /// <param name="scale">1 gives the conditional prediction.</param>
    /// <param name="rescale">Share of the result that is brought back to the conditional prediction's deviation (Lin et al. 2023, arXiv:2305.08891, section 3.4).</param>
    public static Tensor Combine(Tensor unconditional, Tensor conditional, double scale, double rescale = 0)
    {
        using var scope = NewDisposeScope();
        var guided = unconditional + (conditional - unconditional) * scale;
        if (rescale > 0)
        {
            var axes = Enumerable.Range(1, (int)guided.ndim - 1).Select(axis => (long)axis).ToArray();
            var matched = guided * (conditional.std(axes, keepdim: true) / guided.std(axes, keepdim: true));
            guided = matched * rescale + guided * (1 - rescale);
        }
        return guided.MoveToOuterDisposeScope();
    }
}
