using Bruma.Metrics;

namespace Bruma.Recipes.Adaptation;

/// <summary>A row of a report: a set of pictures against the reference photos.</summary>
/// <param name="Key">In <c>metrics.json</c>.</param>
/// <param name="Label">For people.</param>
/// <param name="Count">Pictures of the set.</param>
/// <param name="Values">By the keys of <see cref="SetComparison"/>.</param>
public sealed record MeasuredSet(string Key, string Label, int Count, IReadOnlyDictionary<string, Measured> Values)
{
    public const string Samples = "samples";
    public const string Test = "test_photos";
    public const string Reference = "reference_repeated";
    public const string Base = "base";
    public const string Reconstructions = "vae_reconstructions";

    public double? this[string key] => Values.GetValueOrDefault(key)?.Value;
}
