using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Two linear layers with a SiLU between: turns encoded times into the vector that all blocks see.</summary>
public sealed class TimestepEmbedding : Module<Tensor, Tensor>
{
    private readonly Linear linear_1;
    private readonly Linear linear_2;

    public TimestepEmbedding(long inputWidth, long width, Device? device = null)
        : base(nameof(TimestepEmbedding))
    {
        linear_1 = Linear(inputWidth, width, device: device);
        linear_2 = Linear(width, width, device: device);
        RegisterComponents();
    }

    /// <param name="x">Encoded times, [B, E].</param>
    /// <returns>[B, D].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return linear_2.call(functional.silu(linear_1.call(x))).MoveToOuterDisposeScope();
    }
}
