using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Linear layers in the form that is the fastest for the call: oneDNN at inference, with an addition in the same pass, else the layer itself.</summary>
/// <remarks>The weights stay where they are; matrix products of other libraries know some processors badly.</remarks>
internal static class FastLinear
{
    /// <param name="x">[..., I].</param>
    /// <param name="addition">Added to the result, of its shape; null for nothing.</param>
    /// <returns>[..., O].</returns>
    public static Tensor Run(Linear layer, Tensor x, Tensor? addition = null)
    {
        if (PackedOperators.Take(x) && !AugmentedLayers.Has(layer) && layer.weight.dtype == x.dtype)
            return PackedOperators.Multiply(x, layer.weight, layer.bias, addition);
        using var scope = NewDisposeScope();
        return (addition is null ? layer.call(x) : layer.call(x) + addition).MoveToOuterDisposeScope();
    }

    /// <summary>The same for a convolution of width 1 that is given tokens.</summary>
    /// <param name="layer">A linear layer or such a convolution.</param>
    /// <param name="tokens">[B, T, I].</param>
    public static Tensor OfTokens(Module<Tensor, Tensor> layer, Tensor tokens, Tensor? addition = null)
    {
        if (layer is Linear linear)
            return Run(linear, tokens, addition);
        using var scope = NewDisposeScope();
        var convolution = (Conv2d)layer;
        if (AugmentedLayers.Has(layer))
        {
            var result = layer.call(tokens.transpose(1, 2).unsqueeze(-1)).squeeze(-1).transpose(1, 2); // tokens as a map of width 1
            return (addition is null ? result.contiguous() : result + addition).contiguous().MoveToOuterDisposeScope();
        }
        return PackedOperators.Multiply(tokens, convolution.weight.flatten(1), convolution.bias, addition).MoveToOuterDisposeScope();
    }
}
