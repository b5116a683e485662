using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Finetuning;

/// <summary>Which examples.</summary>
public enum Split
{
    Train,
    Validation,
    Test,
}

/// <summary>Examples as tensors.</summary>
/// <param name="Inputs">Ids [B, T], pictures [B, 3, H, W], or vectors that a frozen network gave [B, D].</param>
/// <param name="Labels">Classes or degrees, [B].</param>
/// <param name="Mask">[B, T]; null for pictures and vectors.</param>
/// <param name="TypeIds">[B, T]; null where there are none.</param>
/// <param name="Count">Examples, or counted tokens, by which batches are weighed against one another.</param>
internal sealed record TaskBatch(Tensor Inputs, Tensor Labels, Tensor? Mask, Tensor? TypeIds, double Count) : IDisposable
{
    public void Dispose()
    {
        Inputs.Dispose();
        Labels.Dispose();
        Mask?.Dispose();
        TypeIds?.Dispose();
    }
}

/// <summary>How good a network is at its task: numbers by name, the first of which decides, more being better.</summary>
internal sealed record Evaluation(IReadOnlyList<KeyValuePair<string, double>> Measures, double Score);

/// <summary>A pretrained network with the examples that it is adapted to.</summary>
internal abstract class FinetuneTask : IDisposable
{
    /// <summary>Holds all parameters, those of the head included.</summary>
    public abstract Module Network { get; }

    /// <summary>Layers between embeddings and head.</summary>
    public abstract int Layers { get; }

    /// <summary>Parts of the names of the head's parameters.</summary>
    public abstract IReadOnlyList<string> Head { get; }

    /// <summary>Parts of the names of parameters that this task does not use and that stay as they are.</summary>
    public virtual IReadOnlyList<string> Unused => [];

    /// <summary>Names of the layers that get low-rank updates unless told otherwise.</summary>
    public abstract IReadOnlyList<string> LoraTargets { get; }

    /// <summary>What the examples are, for people.</summary>
    public abstract IEnumerable<string> Description { get; }

    /// <summary>What asks the finished model.</summary>
    public virtual string Command => "bruma predict";

    /// <summary>Updates done, on which what is random in a batch may depend.</summary>
    public long Step { get; set; }

    public abstract int Count(Split split);

    public abstract TaskBatch Batch(Split split, IReadOnlyList<int> indices);

    /// <returns>The mean loss, fp32 and 0-D.</returns>
    public abstract Tensor Loss(TaskBatch batch);

    public abstract Evaluation Evaluate(Split split);

    /// <summary>The network in evaluation mode and fp32 as a folder that loads again.</summary>
    public abstract void Save(string folder);

    /// <summary>Pages, plots and files about the test examples.</summary>
    /// <returns>Lines to tell.</returns>
    public virtual IEnumerable<string> Report(string folder) => [];

    public virtual void Dispose() => Network.Dispose();

    /// <summary>Whether this strategy makes sense here.</summary>
    /// <exception cref="BrumaException">It does not.</exception>
    public virtual void Check(Strategy strategy, ScalarType precision)
    {
        if (strategy.FreezesEncoder)
            throw new BrumaException($"--strategy {strategy.Name}: this task has no head to train alone; choose lora, full, last-N, gradual or layerwise.");
    }

    /// <summary>Nothing moves the running means of batch norms: small batches would spoil them.</summary>
    protected static void StillNorms(Module network)
    {
        foreach (var norm in network.modules().OfType<TorchSharp.Modules.BatchNorm2d>())
            norm.eval();
    }
}
