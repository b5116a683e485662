using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Two linear layers with an activation between: turns encoded times into the vector that all blocks see.</summary>
public sealed class TimestepEmbedding : Module<Tensor, Tensor>
{
    private readonly Linear linear_1;
    private readonly Linear linear_2;
    private readonly Linear? cond_proj;
    private readonly Func<Tensor, Tensor> _activation;

    /// <param name="conditionWidth">Of a condition that is added to the encoded times, such as the guidance of latent consistency models; null for none.</param>
    /// <param name="activation">A name that <see cref="Activation.Named"/> knows.</param>
    public TimestepEmbedding(long inputWidth, long width, Device? device = null, long? conditionWidth = null, string activation = "silu")
        : base(nameof(TimestepEmbedding))
    {
        _activation = Activation.Named(activation);
        cond_proj = conditionWidth is { } conditions ? Linear(conditions, inputWidth, hasBias: false, device: device) : null;
        linear_1 = Linear(inputWidth, width, device: device);
        linear_2 = Linear(width, width, device: device);
        RegisterComponents();
    }

    /// <param name="x">Encoded times, [B, E].</param>
    /// <returns>[B, D].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return linear_2.call(_activation(linear_1.call(x))).MoveToOuterDisposeScope();
    }

    /// <summary>Adds a condition to encoded times, before <see cref="forward"/>.</summary>
    /// <param name="x">Encoded times, [B, E].</param>
    /// <param name="condition">[B, C].</param>
    /// <returns>[B, E].</returns>
    /// <exception cref="BrumaException">The network was built without such a condition.</exception>
    public Tensor AddCondition(Tensor x, Tensor condition)
    {
        if (cond_proj is null)
            throw new BrumaException("The network takes no condition beside the time (\"time_cond_proj_dim\" is null); it is no latent consistency model.");
        using var scope = NewDisposeScope();
        return (x + cond_proj.call(condition)).MoveToOuterDisposeScope();
    }
}
