using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>The names of the layers in the checkpoint; with a name for the gate there is one (arXiv:2002.05202).</summary>
public readonly record struct FeedForwardKeys(string In, string Out, string? Gate = null);

/// <summary>Two linear layers with an activation between, or activation(gate(x)) * in(x) before the second.</summary>
public sealed class TokenFeedForward : Module<Tensor, Tensor>
{
    private readonly Linear _in;
    private readonly Linear _out;
    private readonly Linear? _gate;
    private readonly SeededDropout _dropout;
    private readonly Func<Tensor, Tensor> _activation;

    /// <param name="dropout">Between the two layers.</param>
    public TokenFeedForward((long Width, long Inner) size, string activation, FeedForwardKeys keys, bool bias = true, double dropout = 0, Device? device = null)
        : base(nameof(TokenFeedForward))
    {
        _activation = Activation.Named(activation);
        register_module(keys.In, _in = Linear(size.Width, size.Inner, bias, device));
        if (keys.Gate is not null)
            register_module(keys.Gate, _gate = Linear(size.Width, size.Inner, bias, device));
        register_module(keys.Out, _out = Linear(size.Inner, size.Width, bias, device));
        register_module("dropout", _dropout = new SeededDropout(dropout));
    }

    /// <param name="x">[B, T, D].</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var inner = _gate is null ? _activation(_in.call(x)) : _activation(_gate.call(x)) * _in.call(x);
        return _out.call(_dropout.call(inner)).MoveToOuterDisposeScope();
    }
}
