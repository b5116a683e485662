using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>The sum of a time's and a class's embedding.</summary>
public sealed class TimeClassEmbedding : Module<Tensor, Tensor, Tensor>
{
    private const long EncodedWidth = 256;

    private readonly TimestepEmbedding timestep_embedder;
    private readonly LabelEmbedding class_embedder;

    /// <param name="classes">K; index K is the null class.</param>
    public TimeClassEmbedding(long width, long classes, Device? device = null)
        : base(nameof(TimeClassEmbedding))
    {
        timestep_embedder = new TimestepEmbedding(EncodedWidth, width, device);
        class_embedder = new LabelEmbedding(classes, width, device);
        RegisterComponents();
    }

    /// <param name="timesteps">[B].</param>
    /// <param name="classes">[B], in 0 to K.</param>
    /// <returns>[B, D].</returns>
    public override Tensor forward(Tensor timesteps, Tensor classes)
    {
        using var scope = NewDisposeScope();
        var labels = class_embedder.call(classes);
        var times = TimeEncoding.Sinusoidal(timesteps, EncodedWidth, cosineFirst: true, shift: 1).to(labels.dtype);
        return (timestep_embedder.call(times) + labels).MoveToOuterDisposeScope();
    }
}

/// <summary>A table of class vectors whose last row stands for no class. Which labels are dropped in training is the trainer's decision.</summary>
public sealed class LabelEmbedding : Module<Tensor, Tensor>
{
    private readonly Embedding embedding_table;

    public LabelEmbedding(long classes, long width, Device? device = null)
        : base(nameof(LabelEmbedding))
    {
        embedding_table = Embedding(classes + 1, width, device: device);
        RegisterComponents();
    }

    /// <param name="classes">[B].</param>
    /// <returns>[B, D].</returns>
    public override Tensor forward(Tensor classes) => embedding_table.call(classes);
}
