using Bruma.Metrics;

namespace Bruma.Recipes.Cats;

/// <summary>What to compare.</summary>
/// <param name="Data">Folder of captioned photos, best in classes.</param>
/// <param name="Model">The base of the methods that adapt one, a diffusers folder.</param>
/// <param name="Methods">Some of <see cref="Names"/>.</param>
/// <param name="Minutes">Of training for each.</param>
/// <param name="Replay">Pictures for <see cref="WithReplay"/>; null where it is not among the methods.</param>
/// <param name="Samples">Pictures drawn of each.</param>
/// <param name="BatchSize">Of the methods that adapt a base.</param>
/// <param name="Rank">Of LoRA.</param>
/// <param name="Features">See <see cref="FeatureNetworks.Open"/>.</param>
/// <param name="Cache">Folder of cached features; null for none.</param>
public sealed record CatComparisonOptions(
    string Data, string Model, IReadOnlyList<string> Methods, double Minutes = 20, string? Replay = null, int Samples = 156, int BatchSize = 32, int Rank = 16, long Seed = 0, string Precision = "fp32", string Features = FeatureNetworks.Default,
    string? Cache = null, int Threads = 0)
{
    public const string Diffusion = GanComparisonOptions.Diffusion;
    public const string Gan = "r3gan";
    public const string Full = "full";
    public const string WithReplay = "replay";
    public const string Lora = "lora";

    /// <summary>The learning rate that suits all weights of models/emoji: 150 steps of 32 photos bring the loss of unseen ones as far as 225 at 1e-4.</summary>
    public const double FullLearningRate = 4e-4;

    /// <summary>The same for LoRA.</summary>
    public const double LoraLearningRate = 5e-4;

    /// <summary>From scratch: a class-conditional diffusion model in pixels, and R3GAN with DiffAugment; from the base: all weights, the same with replay, LoRA.</summary>
    public static IReadOnlyList<string> Names { get; } = [Diffusion, Gan, Full, WithReplay, Lora];

    /// <summary>Refuses what cannot be compared, by the option's name.</summary>
    public CatComparisonOptions Checked()
    {
        RunConfig.Require(Methods.Count > 0 && Methods.All(Names.Contains) && Methods.Distinct().Count() == Methods.Count, "--methods", string.Join(",", Methods), $"some of {string.Join(",", Names)}, each once");
        RunConfig.Require(Minutes is > 0 and <= 24 * 60, "--minutes", Minutes, "greater than 0 and at most a day");
        RunConfig.Require(Samples >= 2, "--samples", Samples, "at least 2");
        RunConfig.Require(BatchSize >= 1, "--batch-size", BatchSize, "at least 1");
        RunConfig.Require(Replay is not null || !Methods.Contains(WithReplay), "--replay", "", $"a folder of captioned pictures of the base's own kind with --methods {WithReplay}");
        return this;
    }
}
