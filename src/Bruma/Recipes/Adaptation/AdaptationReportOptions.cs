using Bruma.Metrics;

namespace Bruma.Recipes.Adaptation;

/// <summary>How the report of an adapted model is made.</summary>
/// <param name="Run">Folder of a finished run; with <paramref name="Data"/>, a model that builds on another, such as an installed one.</param>
/// <param name="Count">Samples that are drawn, with the seeds from <paramref name="Seed"/> on.</param>
/// <param name="Features">See <see cref="FeatureNetworks.Open"/>.</param>
/// <param name="Cache">Folder of cached features; null for none.</param>
/// <param name="Data">Folder of the pictures that a model without its run was adapted to.</param>
/// <param name="Output">Where the report goes; null for the run's folder.</param>
public sealed record AdaptationReportOptions(string Run, int Count = AdaptationReportOptions.StandardCount, long Seed = 0, string Features = FeatureNetworks.Default, string? Cache = null, string? Data = null, string? Output = null)
{
    public const int StandardCount = 64;

    /// <summary>The folder that gets the report.</summary>
    public string Folder => Output ?? Run;

    /// <summary>Refuses values that no report could have.</summary>
    public AdaptationReportOptions Checked()
    {
        RunConfig.Require(Count is >= 2 and <= 100_000, "--count", Count, "2 to 100000");
        return this;
    }
}
