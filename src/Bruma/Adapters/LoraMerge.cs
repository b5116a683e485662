using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Adapters;

/// <summary>Adds low-rank updates to the weights of a model, and takes them away again to the last bit.</summary>
/// <remarks>Merged weights cost nothing at inference. The updates of several adapters are computed from the untouched weight and summed, so their order does not matter.</remarks>
public sealed class LoraMerge(IReadOnlyDictionary<string, Module> components) : IDisposable
{
    private readonly Dictionary<(string Component, string Layer), Tensor> _originals = [];

    /// <summary>Replaces what was merged before by these updates.</summary>
    /// <param name="adapters">Updates, such as those of <see cref="LoraFile.Updates"/>, with the strength of each.</param>
    /// <param name="keepOriginals">Whether <see cref="Remove"/> shall be possible, for the memory of the changed weights.</param>
    public void Apply(IEnumerable<(IReadOnlyList<LoraUpdate> Updates, double Strength)> adapters, bool keepOriginals = true)
    {
        using var still = no_grad();
        Remove();
        var byLayer = adapters.SelectMany(adapter => adapter.Updates.Select(update => (update, adapter.Strength))).GroupBy(entry => (entry.update.Component, entry.update.Layer));
        foreach (var layer in byLayer)
        {
            using var scope = NewDisposeScope();
            var weight = Weight(layer.Key);
            if (keepOriginals)
                _originals[layer.Key] = weight.detach().clone().DetachFromDisposeScope();
            var original = weight.detach().to(float32);
            var sum = layer.Select(entry => entry.update.Delta(original, entry.Strength)).Aggregate((total, delta) => total + delta);
            weight.copy_(original + sum);
        }
    }

    /// <summary>Gives every changed weight its bits back.</summary>
    public void Remove()
    {
        using var still = no_grad();
        foreach (var (layer, original) in _originals)
        {
            using var scope = NewDisposeScope();
            Weight(layer).copy_(original);
            original.Dispose();
        }
        _originals.Clear();
    }

    /// <summary>Lets the originals go; the weights stay as they are.</summary>
    public void Dispose()
    {
        foreach (var original in _originals.Values)
            original.Dispose();
        _originals.Clear();
    }

    private TorchSharp.Modules.Parameter Weight((string Component, string Layer) layer) => components[layer.Component].get_parameter($"{layer.Layer}.weight")
        ?? throw new BrumaException($"{layer.Component} has no layer {layer.Layer}; the update was made for another model.");
}
