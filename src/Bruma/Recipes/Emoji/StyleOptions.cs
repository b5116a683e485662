using Bruma.Metrics;

namespace Bruma.Recipes.Emoji;

/// <summary>How a run that learned a new style of drawing is measured.</summary>
/// <param name="Run">Folder of a finished run of <c>bruma train lora</c>, <c>text-to-image</c>, <c>dreambooth</c> or <c>textual-inversion</c> on pictures of the style.</param>
/// <param name="Style">Folder of the built data set of the style, such as openmoji.</param>
/// <param name="Known">Folder of the built data set of the base's own styles.</param>
/// <param name="Scorer">Folder of the scorer, which recognises concepts.</param>
/// <param name="Samples">Prompts, each of another concept that the run never saw.</param>
/// <param name="JudgeConcepts">Other concepts that it never saw, in all styles, from which the judge of styles learns.</param>
/// <param name="Features">What the judge of styles looks at: see <see cref="FeatureNetworks.Open"/>.</param>
/// <param name="Cache">Folder of cached features; null for none.</param>
public sealed record StyleOptions(string Run, string Style, string Known, string Scorer, int Samples = 128, int JudgeConcepts = 150, long Seed = 0, string Features = FeatureNetworks.Default, string? Cache = null)
{
    /// <summary>Refuses values that no comparison could have.</summary>
    public StyleOptions Checked()
    {
        RunConfig.Require(Samples is >= 2 and <= 10_000, "--samples", Samples, "2 to 10000");
        RunConfig.Require(JudgeConcepts is >= 2 and <= 10_000, "--judge-concepts", JudgeConcepts, "2 to 10000");
        return this;
    }
}

/// <summary>What was drawn, or is real, and how it was judged.</summary>
/// <param name="InStyle">Share that the judge takes for the new style.</param>
/// <param name="Top1">Share whose concept the scorer names first, of all.</param>
/// <param name="Top5">Among its first five.</param>
/// <param name="Kid">To real pictures of the style, of other concepts.</param>
public sealed record StyleRow(string Name, double InStyle, double Top1, double Top5, double Kid);

/// <param name="Style">Name of the style.</param>
/// <param name="Rows">The base, the run, and the real pictures of the same prompts, as the autoencoder gives them back and as they are.</param>
/// <param name="JudgeAccuracy">Share of real pictures of the tested concepts whose style, of all, the judge names.</param>
/// <param name="FalseAlarms">Share of those in other styles that it takes for the new one.</param>
/// <param name="Network">That the judge looks through.</param>
public sealed record StyleFindings(string Style, IReadOnlyList<StyleRow> Rows, double JudgeAccuracy, double FalseAlarms, string Network);
