using static TorchSharp.torch;

namespace Bruma.Adapters;

/// <summary>A low-rank change of one weight: W' = W + scale · up · down.</summary>
/// <param name="Component">Part of the model: <c>unet</c>, <c>text_encoder</c>, ...</param>
/// <param name="Layer">Name of the layer in it.</param>
/// <param name="Down">[r, in], of a convolution [r, in, k, k].</param>
/// <param name="Up">[out, r], of a convolution [out, r, 1, 1].</param>
/// <param name="Scale">alpha / r.</param>
/// <param name="Magnitude">The lengths of the changed weight's rows (DoRA), [out, 1, ...], or columns, [1, in, ...]; null where directions and lengths are not apart.</param>
public sealed record LoraUpdate(string Component, string Layer, Tensor Down, Tensor Up, double Scale, Tensor? Magnitude = null)
{
    public long Rank => Down.shape[0];

    /// <summary>What the update adds to the weight, all of it; DoRA's part depends on the weight.</summary>
    /// <param name="weight">[out, in, ...], fp32.</param>
    /// <param name="strength">Factor that the person chose.</param>
    public Tensor Delta(Tensor weight, double strength = 1)
    {
        using var scope = NewDisposeScope();
        var change = Change(weight, strength);
        if (Magnitude is null)
            return change.MoveToOuterDisposeScope();
        var changed = weight + change;
        var norm = Magnitude.shape[0] == 1 && weight.shape[0] != 1 ? Norm(changed, 1) : RowNorm(changed);
        return (changed * (Magnitude.to(float32) / norm) - weight).MoveToOuterDisposeScope();
    }

    /// <summary>strength · scale · up · down in the weight's shape.</summary>
    internal Tensor Change(Tensor weight, double strength = 1)
    {
        using var scope = NewDisposeScope();
        var product = Up.to(float32).flatten(1).matmul(Down.to(float32).flatten(1));
        return (product.view(weight.shape) * (Scale * strength)).MoveToOuterDisposeScope();
    }

    /// <summary>The length of every output row, [out, 1, ...].</summary>
    internal static Tensor RowNorm(Tensor weight) => Norm(weight, 0);

    private static Tensor Norm(Tensor weight, int kept)
    {
        using var scope = NewDisposeScope();
        var others = Enumerable.Range(0, (int)weight.dim()).Where(axis => axis != kept).Select(axis => (long)axis).ToArray();
        return weight.square().sum(others, keepdim: true).sqrt().MoveToOuterDisposeScope();
    }
}
