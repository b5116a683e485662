using System.Text.Json;
using System.Text.Json.Serialization;
using Bruma.Gans;

namespace Bruma.Recipes;

/// <summary>Everything that decides a GAN's training run: <c>config.json</c> of its run folder. What is null is settled by the objective when the run begins.</summary>
/// <param name="Data"><c>fashion-mnist</c> or a folder of images.</param>
/// <param name="Objective">One of <see cref="GanRecipe.Names"/>.</param>
/// <param name="Architecture"><c>dcgan</c> or <c>resnet</c>; null: resnet for r3gan, else dcgan.</param>
/// <param name="Steps">Updates of the generator.</param>
/// <param name="BatchSize">Images per update; 0: 64, or 32 above 40 px.</param>
/// <param name="Resolution">Height and width in pixels; 0 takes the data's own size up to 64.</param>
/// <param name="EvaluateEvery">Updates between measurements of the samples; 0 measures at the end only.</param>
/// <param name="DiscriminatorSteps">Updates of the discriminator before each of the generator.</param>
/// <param name="PenaltyEvery">Lazy regularisation: gradient penalties only every n-th update, n times as strong.</param>
/// <param name="PenaltyWeight">λ of wgan-gp, γ of r3gan.</param>
/// <param name="DiffAugment">Comma-separated: color, translation, cutout; empty for none; null: all three below 5,000 images.</param>
/// <param name="Flip">Mirror half of the images; null for photos only.</param>
/// <param name="EvaluateSamples">Pictures per measurement; 0 measures nothing.</param>
public sealed record GanOptions(
    string Data,
    string Objective = "dcgan",
    string? Architecture = null,
    int Steps = 5000,
    int BatchSize = 0,
    int Resolution = 0,
    long Seed = 0,
    int CheckpointEvery = 500,
    int CheckpointsTotalLimit = 2,
    int EvaluateEvery = 0,
    int EvaluateSamples = 1000,
    int LatentWidth = 64,
    double? LearningRate = null,
    double? DiscriminatorLearningRate = null,
    int? DiscriminatorSteps = null,
    double? PenaltyWeight = null,
    int PenaltyEvery = 1,
    double EmaDecay = 0.998,
    string? DiffAugment = null,
    bool? Flip = null,
    int Threads = 0)
{
    /// <summary>Names the recipe in <c>config.json</c>, so that <c>resume</c> knows what to run.</summary>
    public string Recipe { get; init; } = RecipeName;

    public const string RecipeName = "gan";

    /// <summary>The groups of DiffAugment that are on.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Augmentations => (DiffAugment ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Refuses values that no run could have, each by its option's name.</summary>
    public GanOptions Checked()
    {
        RunConfig.Require(GanRecipe.Names.Contains(Objective), "--objective", Objective, string.Join(", ", GanRecipe.Names));
        RunConfig.Require(Architecture is null || GanArchitectures.Names.Contains(Architecture), "--architecture", Architecture, string.Join(", ", GanArchitectures.Names));
        RunConfig.Require(Steps >= 1, "--steps", Steps, "at least 1");
        RunConfig.Require(BatchSize == 0 || BatchSize is >= 2 and <= 4096, "--batch-size", BatchSize, "2 to 4096: batch norms need more than one picture");
        RunConfig.Require(Resolution == 0 || GanArchitectures.Fits(Resolution), "--resolution", Resolution, "a size of 16 to 128 that halves down to 4 to 7: 28, 32, 40, 48, 56, 64, 80, 96, 112 or 128");
        RunConfig.Require(CheckpointEvery >= 1, "--checkpoint-every", CheckpointEvery, "at least 1");
        RunConfig.Require(CheckpointsTotalLimit >= 0, "--checkpoints-total-limit", CheckpointsTotalLimit, "0 (all) or more");
        RunConfig.Require(EvaluateEvery >= 0, "--evaluate-every", EvaluateEvery, "0 (at the end only) or more");
        RunConfig.Require(EvaluateSamples is 0 or >= 100, "--evaluate-samples", EvaluateSamples, "0 (no measurement), or at least 100");
        RunConfig.Require(LatentWidth is >= 1 and <= 1024, "--latent-width", LatentWidth, "1 to 1024");
        RunConfig.Require(LearningRate is null || LearningRate > 0 && double.IsFinite(LearningRate.Value), "--learning-rate", LearningRate, "greater than 0");
        RunConfig.Require(DiscriminatorLearningRate is null || DiscriminatorLearningRate > 0 && double.IsFinite(DiscriminatorLearningRate.Value), "--discriminator-learning-rate", DiscriminatorLearningRate, "greater than 0");
        RunConfig.Require(DiscriminatorSteps is null or (>= 1 and <= 100), "--discriminator-steps", DiscriminatorSteps, "1 to 100");
        RunConfig.Require(PenaltyWeight is null || PenaltyWeight >= 0 && double.IsFinite(PenaltyWeight.Value), "--penalty-weight", PenaltyWeight, "0 or more");
        RunConfig.Require(PenaltyEvery is >= 1 and <= 64, "--penalty-every", PenaltyEvery, "1 to 64");
        RunConfig.Require(EmaDecay is >= 0 and < 1, "--ema-decay", EmaDecay, "0 to below 1");
        RunConfig.Require(Threads >= 0, "--threads", Threads, "0 (all) or more");
        foreach (var group in Augmentations)
            RunConfig.Require(Gans.DiffAugment.Groups.Contains(group), "--diffaugment", group, $"some of {string.Join(",", Gans.DiffAugment.Groups)}, or none");
        return this;
    }

    public string ToJson() => JsonSerializer.Serialize(this, GanOptionsJson.Default.GanOptions) + "\n";

    /// <summary>Reads the <c>config.json</c> of a run.</summary>
    public static GanOptions Read(string path) => RunConfig.Read(path, GanOptionsJson.Default.GanOptions).Checked();
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(GanOptions))]
internal sealed partial class GanOptionsJson : JsonSerializerContext;
