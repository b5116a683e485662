using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Tests.Adapters;

/// <summary>A small network with the layer names of a U-Net's block.</summary>
internal sealed class ToyNetwork : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;
    private readonly ModuleList<Linear> to_out;
    private readonly Linear to_q;

    public ToyNetwork() : base(nameof(ToyNetwork))
    {
        conv1 = Conv2d(3, 6, 3, padding: 1);
        to_q = Linear(6, 8);
        to_out = ModuleList(Linear(8, 5));
        RegisterComponents();
    }

    public Linear ToQ => to_q;

    /// <param name="x">[B, 3, H, W].</param>
    /// <returns>[B, H · W, 5].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var tokens = conv1.call(x).flatten(2).transpose(1, 2);
        return to_out[0].call(to_q.call(tokens).tanh()).MoveToOuterDisposeScope();
    }
}
