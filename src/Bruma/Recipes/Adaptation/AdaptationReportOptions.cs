using Bruma.Metrics;

namespace Bruma.Recipes.Adaptation;

/// <summary>How the report of a run is made.</summary>
/// <param name="Run">Folder of a finished run.</param>
/// <param name="Count">Samples that are drawn, with the seeds from <paramref name="Seed"/> on.</param>
/// <param name="Features">See <see cref="FeatureNetworks.Open"/>.</param>
/// <param name="Cache">Folder of cached features; null for none.</param>
public sealed record AdaptationReportOptions(string Run, int Count = AdaptationReportOptions.StandardCount, long Seed = 0, string Features = FeatureNetworks.Default, string? Cache = null)
{
    public const int StandardCount = 64;

    /// <summary>Refuses values that no report could have.</summary>
    public AdaptationReportOptions Checked()
    {
        RunConfig.Require(Count is >= 2 and <= 100_000, "--count", Count, "2 to 100000");
        return this;
    }
}
