using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>The vectors of a set of pictures, and which picture each came from.</summary>
/// <param name="Features">fp32 [N, D].</param>
/// <param name="Logits">fp32 [N, K]; null for a network without classes.</param>
/// <param name="Indices">The picture of every row, as the source counts.</param>
/// <param name="Skipped">Why pictures were left out, each naming its file.</param>
public sealed record FeatureSet(Tensor Features, Tensor? Logits, IReadOnlyList<int> Indices, IReadOnlyList<string> Skipped) : IDisposable
{
    private const string SkippedKey = "skipped";

    public int Count => (int)Features.shape[0];

    public void Dispose()
    {
        Features.Dispose();
        Logits?.Dispose();
    }

    public void Save(string path)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor> { ["features"] = Features, ["indices"] = tensor(Indices.Select(index => (long)index).ToArray()) };
        if (Logits is not null)
            tensors["logits"] = Logits;
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string> { [SkippedKey] = string.Join('\n', Skipped) });
    }

    public static FeatureSet Read(string path)
    {
        using var scope = NewDisposeScope();
        using var file = new SafetensorsFile(path);
        var indices = file.Read("indices").data<long>().Select(index => (int)index).ToArray();
        return new FeatureSet(file.Read("features").DetachFromDisposeScope(), file.Tensors.ContainsKey("logits") ? file.Read("logits").DetachFromDisposeScope() : null, indices,
            file.Metadata.GetValueOrDefault(SkippedKey, "").Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Sets one after the other; the parts are disposed.</summary>
    public static FeatureSet Join(IReadOnlyList<FeatureSet> parts)
    {
        using var scope = NewDisposeScope();
        var features = cat([.. parts.Select(part => part.Features)]).DetachFromDisposeScope();
        var logits = parts[0].Logits is null ? null : cat([.. parts.Select(part => part.Logits!)]).DetachFromDisposeScope();
        var joined = new FeatureSet(features, logits, [.. parts.SelectMany(part => part.Indices)], [.. parts.SelectMany(part => part.Skipped)]);
        foreach (var part in parts)
            part.Dispose();
        return joined;
    }
}
