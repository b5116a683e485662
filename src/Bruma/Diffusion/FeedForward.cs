using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>Two linear layers with a GELU between; checkpoint keys <c>net.0.proj</c> and <c>net.2</c>.</summary>
public sealed class FeedForward : Module<Tensor, Tensor>
{
    private readonly Sequential net;

    /// <param name="approximate">Whether the GELU is the tanh form.</param>
    public FeedForward(long width, long innerWidth, bool approximate, double dropout = 0, Device? device = null)
        : base(nameof(FeedForward))
    {
        net = Sequential(
            ("0", new GeluLayer(width, innerWidth, approximate, device)),
            ("1", new SeededDropout(dropout)),
            ("2", Linear(innerWidth, width, device: device)));
        RegisterComponents();
    }

    /// <param name="x">[B, T, D].</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor x) => net.call(x);
}

/// <summary>A linear layer, then GELU (arXiv:1606.08415).</summary>
public sealed class GeluLayer : Module<Tensor, Tensor>
{
    private readonly Linear proj;
    private readonly TorchSharp.Modules.GELU.Approximate _form;

    public GeluLayer(long width, long innerWidth, bool approximate, Device? device = null)
        : base(nameof(GeluLayer))
    {
        proj = Linear(width, innerWidth, device: device);
        _form = approximate ? TorchSharp.Modules.GELU.Approximate.tanh : TorchSharp.Modules.GELU.Approximate.none;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return functional.gelu(proj.call(x), _form).MoveToOuterDisposeScope();
    }
}
