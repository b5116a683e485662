using Bruma.Metrics;

namespace Bruma.Recipes;

/// <summary>A measured number beside what real pictures give.</summary>
/// <param name="Key">In <c>metrics.json</c>.</param>
/// <param name="Label">For people, with the network's name.</param>
/// <param name="Value">With its interval.</param>
/// <param name="Floor">The same measure of real pictures against the rest of the reference, as many as there are samples where it has them; null where that makes no sense.</param>
/// <param name="Better">Which way is better, in a word.</param>
public sealed record EvaluationRow(string Key, string Label, Measured Value, double? Floor, string Better);

/// <summary>What an evaluation found.</summary>
/// <param name="FloorCount">Real pictures that the floor was measured with.</param>
/// <param name="Warnings">In words.</param>
/// <param name="NotMeasured">What was left out, and why.</param>
public sealed record EvaluationResult(
    IReadOnlyList<EvaluationRow> Rows, string Network, string NetworkHash, int Width, int Count, int ReferenceCount, int FloorCount, string Reference, string Samples, string? Settings,
    IReadOnlyList<string> Warnings, IReadOnlyDictionary<string, string> NotMeasured, IReadOnlyList<string> Skipped);

/// <summary>How far an evaluation is.</summary>
public readonly record struct EvaluationProgress(string Stage, int Done, int Of);
