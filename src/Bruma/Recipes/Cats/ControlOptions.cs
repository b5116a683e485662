using Bruma.Metrics;

namespace Bruma.Recipes.Cats;

/// <summary>How the controls of a run are measured.</summary>
/// <param name="Run">Folder of a finished run that adapted a text-to-image model to photos in classes; with <paramref name="Data"/>, a model that builds on another, such as an installed one.</param>
/// <param name="Outline">Folder of a finished run that trained a ControlNet of outlines; null leaves outlines out.</param>
/// <param name="Samples">Pictures for each setting.</param>
/// <param name="Steps">Denoising steps; null for the model's own.</param>
/// <param name="Start">What the base draws to start from.</param>
/// <param name="Features">See <see cref="FeatureNetworks.Open"/>.</param>
/// <param name="Cache">Folder of cached features; null for none.</param>
/// <param name="Data">Folder of the photos that a model without its run was adapted to.</param>
public sealed record ControlOptions(string Run, string? Outline = null, int Samples = 78, int? Steps = null, string Start = "cat face", long Seed = 0, string Features = FeatureNetworks.Default, string? Cache = null, string? Data = null)
{
    /// <summary>Refuses values that no comparison could have.</summary>
    public ControlOptions Checked()
    {
        RunConfig.Require(Samples is >= 2 and <= 10_000, "--samples", Samples, "2 to 10000");
        RunConfig.Require(Steps is null or >= 1, "--steps", Steps ?? 0, "at least 1");
        return this;
    }
}

/// <summary>One control, asked for and measured.</summary>
/// <param name="Key">Name of its sheet and of its part of <c>table.json</c>.</param>
/// <param name="Explanation">How it was measured, and by what.</param>
/// <param name="Rows">As the headers have it; a number where one was measured.</param>
/// <param name="Verdict">One sentence.</param>
public sealed record ControlSection(string Key, string Title, string Explanation, IReadOnlyList<string> Headers, IReadOnlyList<ControlRow> Rows, string Verdict);

/// <summary>A setting and what came of it.</summary>
public sealed record ControlRow(string Setting, IReadOnlyList<double?> Values);
