using static TorchSharp.torch;

namespace Bruma.Gans;

/// <summary>Penalties on the slope of a discriminator; they are differentiated again, so their graphs are kept.</summary>
public static class GradientPenalties
{
    /// <summary>Mean over samples of (‖∇D(x)‖₂ - 1)² (Gulrajani et al. 2017, arXiv:1704.00028).</summary>
    /// <param name="logits">D(x), [B].</param>
    /// <param name="images">x, [B, ...], requiring gradients: between real and fake.</param>
    public static Tensor UnitSlope(Tensor logits, Tensor images)
    {
        using var scope = NewDisposeScope();
        return (Slopes(logits, images)[0].flatten(1).norm(1, false, 2) - 1).square().mean().MoveToOuterDisposeScope();
    }

    /// <summary>Mean over samples of ‖∇D(x)‖₂² (Mescheder et al. 2018, arXiv:1801.04406): R1 at real images, R2 at fake ones.</summary>
    public static Tensor ZeroSlope(Tensor logits, Tensor images)
    {
        using var scope = NewDisposeScope();
        return Squares(Slopes(logits, images)[0]).MoveToOuterDisposeScope();
    }

    /// <summary>R1 and R2 in one backward pass.</summary>
    public static (Tensor Real, Tensor Fake) ZeroSlopes((Tensor Logits, Tensor Images) real, (Tensor Logits, Tensor Images) fake)
    {
        using var scope = NewDisposeScope();
        var slopes = Slopes(cat([real.Logits, fake.Logits]), real.Images, fake.Images);
        return (Squares(slopes[0]).MoveToOuterDisposeScope(), Squares(slopes[1]).MoveToOuterDisposeScope());
    }

    /// <summary>A random point on the line between each pair.</summary>
    /// <param name="share">Share of the real image, [B, 1, 1, 1].</param>
    /// <returns>Detached, requiring gradients.</returns>
    public static Tensor Between(Tensor real, Tensor fake, Tensor share)
    {
        using var scope = NewDisposeScope();
        return (share * real.detach() + (1 - share) * fake.detach()).requires_grad_(true).MoveToOuterDisposeScope();
    }

    private static Tensor Squares(Tensor slopes) => slopes.square().flatten(1).sum(1).mean();

    private static IList<Tensor> Slopes(Tensor logits, params Tensor[] images) => autograd.grad([logits.sum()], images, retain_graph: true, create_graph: true);
}
