using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using static TorchSharp.torch.nn.functional;

namespace Bruma.Nn;

/// <summary>Two linear layers from a sinusoidal embedding to the width that the blocks take.</summary>
public sealed class TimestepEmbedding : Module<Tensor, Tensor>
{
    private readonly Linear linear_1;
    private readonly Linear linear_2;

    public TimestepEmbedding(int inWidth, int width) : base(nameof(TimestepEmbedding))
    {
        linear_1 = Linear(inWidth, width);
        linear_2 = Linear(width, width);
        RegisterComponents();
    }

    /// <param name="embedding">[B, D].</param>
    /// <returns>[B, T].</returns>
    public override Tensor forward(Tensor embedding)
    {
        using var scope = NewDisposeScope();
        return linear_2.call(silu(linear_1.call(embedding))).MoveToOuterDisposeScope();
    }
}
