using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Recipes.Finetuning;

/// <summary>A point of a learning curve.</summary>
/// <param name="Share">Of the run, 0 to 1.</param>
/// <param name="MeanLoss">Over the steps just before.</param>
/// <param name="Accuracy">On the watched examples; null between looks.</param>
internal sealed record CurvePoint(double Share, double MeanLoss, double? Accuracy);

/// <summary>Reads a run's <c>stats.jsonl</c> as curves.</summary>
internal static class CurveFile
{
    private const int Window = 20;

    public static IReadOnlyList<CurvePoint> Read(string folder)
    {
        var rows = File.ReadLines(Path.Combine(folder, "stats.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        var losses = rows.Select(row => row.GetProperty("loss").GetDouble()).ToList();
        return [.. rows.Select((row, i) => new CurvePoint((i + 1.0) / rows.Count, losses.Skip(Math.Max(0, i + 1 - Window)).Take(Math.Min(Window, i + 1)).Average(),
            row.TryGetProperty("validation_accuracy", out var accuracy) && accuracy.ValueKind == JsonValueKind.Number ? accuracy.GetDouble() : null))];
    }
}

/// <summary>How far two models of one layout are apart.</summary>
internal static class WeightDifference
{
    public static double Largest(string folder, string other)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var ours = ModelFolder.Open(folder);
        using var theirs = ModelFolder.Open(other);
        return ours.Tensors.Where(pair => pair.Value.DType is "F32").Select(pair => (ours.Read(pair.Key) - theirs.Read(pair.Key)).abs().max().item<float>()).Max();
    }
}
