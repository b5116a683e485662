using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>A linear layer for inference: its weight packed where the processor's operators take it, else the plain one.</summary>
public sealed class PackedLinear : IDisposable
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private readonly bool _isPacked;

    /// <param name="weight">[O, I]; it is copied.</param>
    /// <param name="bias">[O]; null for none.</param>
    /// <param name="rows">How many rows are usually multiplied at once; others give the same.</param>
    public PackedLinear(Tensor weight, Tensor? bias, long rows)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        _isPacked = PackedOperators.Take(weight);
        _weight = (_isPacked ? PackedOperators.PackLinear(weight.detach().contiguous(), rows) : weight.detach().clone()).DetachFromDisposeScope();
        _bias = bias?.detach().clone().DetachFromDisposeScope();
    }

    /// <param name="x">[..., I].</param>
    /// <param name="addition">Added to the result, of its shape; null for nothing.</param>
    /// <returns>[..., O].</returns>
    public Tensor Run(Tensor x, Tensor? addition = null)
    {
        if (_isPacked)
            return PackedOperators.Multiply(x, _weight, _bias, addition);
        using var scope = NewDisposeScope();
        var product = nn.functional.linear(x, _weight, _bias);
        return (addition is null ? product : product.add_(addition)).MoveToOuterDisposeScope();
    }

    /// <summary>The same with GELU behind it.</summary>
    public Tensor RunGelu(Tensor x)
    {
        if (_isPacked)
            return PackedOperators.MultiplyGelu(x, _weight, _bias);
        using var scope = NewDisposeScope();
        return nn.functional.gelu(nn.functional.linear(x, _weight, _bias)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _weight.Dispose();
        _bias?.Dispose();
    }
}
