using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Dropout whose draws come from a generator that the trainer sets, so that a resumed run drops the same values.</summary>
/// <remarks>Arithmetic of torch's dropout: in training, kept values are scaled by 1 / (1 - p); in evaluation, nothing happens.</remarks>
public sealed class SeededDropout(double probability) : Module<Tensor, Tensor>(nameof(SeededDropout))
{
    public double Probability { get; set; } = probability is >= 0 and < 1
        ? probability
        : throw new BrumaException($"\"dropout\" is {probability}; expected a probability from 0 to below 1.");

    /// <summary>Whence the draws come; belongs to the caller.</summary>
    public Generator? Generator { get; set; }

    /// <summary>Gives all dropout layers of a network their generator.</summary>
    public static void SetGenerator(Module network, Generator generator)
    {
        foreach (var dropout in network.modules().OfType<SeededDropout>())
            dropout.Generator = generator;
    }

    public override Tensor forward(Tensor x)
    {
        if (!training || Probability == 0)
            return x.alias();
        if (Generator is null)
            throw new InvalidOperationException($"training with dropout needs a generator: call {nameof(SeededDropout)}.{nameof(SetGenerator)} first");
        using var scope = NewDisposeScope();
        var keep = empty(x.shape, x.dtype, x.device).bernoulli_(1 - Probability, Generator);
        using TorchSharp.Scalar kept = 1 - Probability; // a temporary could be collected while the native call reads it
        return (x * keep.div_(kept)).MoveToOuterDisposeScope();
    }
}
