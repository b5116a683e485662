using Bruma.Adapters;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Adapters into models and out of them, file to file.</summary>
public static class AdapterFiles
{
    /// <summary>Writes a pipeline folder with adapters merged into the weights.</summary>
    public static void Bake(string model, IReadOnlyList<(string Path, double Weight)> adapters, string folder)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var target = BaseModel.Load(model);
        var files = adapters.Select(adapter => LoraFile.Load(adapter.Path, target.Components)).ToList();
        using var merge = new LoraMerge(target.Components);
        merge.Apply(files.Zip(adapters, (file, adapter) => (file.Updates, adapter.Weight)), keepOriginals: false);
        var changed = files.SelectMany(file => file.Updates.Select(update => update.Component)).ToHashSet(StringComparer.Ordinal);
        PipelineCopy.Write(target, folder, target.Components.Where(part => changed.Contains(part.Key)).SelectMany(part => part.Value.state_dict().Select(pair => KeyValuePair.Create($"{part.Key}.{pair.Key}", pair.Value))).ToDictionary());
        files.ForEach(file => file.Dispose());
    }

    /// <summary>Writes the low-rank difference of two models of one shape, in both layouts.</summary>
    /// <returns>What was written, for people.</returns>
    public static IEnumerable<string> Extract(string changed, string original, int rank, string path)
    {
        if (rank < 1)
            throw new BrumaException($"--rank {rank}: must be at least 1.");
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var after = BaseModel.Load(changed);
        using var before = BaseModel.Load(original);
        var (updates, kept) = (new List<LoraUpdate>(), new List<double>());
        foreach (var (component, network) in after.Components)
            foreach (var (name, weight) in network.named_parameters().Where(pair => pair.name.EndsWith(".weight", StringComparison.Ordinal) && pair.parameter.dim() is 2 or 4 && !pair.name.Contains("embedding.", StringComparison.Ordinal)))
            {
                if (before.Components.GetValueOrDefault(component)?.get_parameter(name) is not { } was || !was.shape.SequenceEqual(weight.shape))
                    throw new BrumaException($"{original}: {component}.{name} is not there or of another shape than in {changed}; give the model that it was trained from.");
                if (LoraExtraction.Nearest(component, name[..^".weight".Length], (weight, was), rank) is { } found)
                {
                    updates.Add(found.Update);
                    kept.Add(found.Kept);
                }
            }
        if (updates.Count == 0)
            throw new BrumaException($"{changed}: its weights are those of {original}; there is nothing to extract.");
        var kohya = Path.ChangeExtension(path, ".kohya.safetensors");
        LoraWriter.WriteDiffusers(path, updates);
        LoraWriter.WriteKohya(kohya, updates, new Dictionary<string, string> { ["ss_network_module"] = "networks.lora", ["ss_network_dim"] = $"{rank}" });
        return [FormattableString.Invariant($"{updates.Count} layers, {kept.Average():P1} of the change on average ({kept.Min():P1} at least): {path}, {kohya}")];
    }
}
