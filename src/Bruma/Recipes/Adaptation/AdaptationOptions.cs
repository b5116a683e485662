using System.Text.Json;
using System.Text.Json.Serialization;
using Bruma.Metrics;
using Bruma.Training;

namespace Bruma.Recipes.Adaptation;

/// <summary>Everything that decides a run that adapts a text-to-image model: <c>config.json</c> of its run folder.</summary>
/// <param name="Recipe">What is trained: one of <see cref="Recipes"/>.</param>
/// <param name="Model">The base, a diffusers folder.</param>
/// <param name="Data">A folder of pictures.</param>
/// <param name="BatchSize">Pictures per micro-batch; with prior preservation as many of the class on top.</param>
/// <param name="Resolution">Side in pixels; 0 takes the base's.</param>
/// <param name="Rank">Of LoRA; 0 trains the weights themselves.</param>
/// <param name="Alpha">Of LoRA; null for the rank.</param>
/// <param name="Targets">Ends of the names of the U-Net's layers that LoRA changes; null for attention.</param>
/// <param name="TrainTextEncoder">The text encoders are adapted as well.</param>
/// <param name="InstancePrompt">One caption for all pictures (DreamBooth).</param>
/// <param name="ClassPrompt">Caption of the pictures that keep the class (prior preservation); null for none.</param>
/// <param name="ClassData">Folder of these pictures; null draws them with the base.</param>
/// <param name="PlaceholderToken">The new word (textual inversion).</param>
/// <param name="InitializerToken">The word whose vector it begins with.</param>
/// <param name="Vectors">How many vectors the new word has.</param>
/// <param name="CaptionTemplate">Caption of pictures without one; <c>{class}</c> stands for their class.</param>
/// <param name="CaptionDropout">Share of examples shown without their caption, so that guidance works.</param>
/// <param name="Replay">Folder of other captioned pictures, so that the base is not forgotten; null for none.</param>
/// <param name="ReplayShare">Their share of a batch.</param>
/// <param name="ValidationShare">Share that is not trained on but watched; 0 trains on all.</param>
/// <param name="EmaDecay">Decay of averaged weights; null for none.</param>
/// <param name="EvaluateSamples">Samples that are drawn at every checkpoint and measured against the watched pictures; 0 for none.</param>
/// <param name="ChooseBy">What the best step is chosen by: the loss of the watched pictures, or the samples' KID to them.</param>
/// <param name="EvaluateFeatures">The network that sees these samples: see <see cref="FeatureNetworks.Open"/>.</param>
/// <param name="SamplePrompts">What the sheets on the way show; null for the first captions.</param>
public sealed record AdaptationOptions(
    string Recipe,
    string Model,
    string Data,
    int Steps = 500,
    int BatchSize = 4,
    int GradientAccumulationSteps = 1,
    int Resolution = 0,
    double LearningRate = 1e-4,
    string LrSchedule = "constant",
    int LrWarmupSteps = 0,
    double WeightDecay = 0.01,
    double MaxGradientNorm = 1,
    int Rank = 0,
    double? Alpha = null,
    double LoraDropout = 0,
    bool UseDora = false,
    IReadOnlyList<string>? Targets = null,
    bool TrainTextEncoder = false,
    string? InstancePrompt = null,
    string? ClassPrompt = null,
    string? ClassData = null,
    int ClassImages = 100,
    double PriorLossWeight = 1,
    string? PlaceholderToken = null,
    string? InitializerToken = null,
    int Vectors = 1,
    string? CaptionTemplate = null,
    double CaptionDropout = 0.1,
    bool ShuffleTags = false,
    string? Replay = null,
    double ReplayShare = 0.25,
    double ValidationShare = 0.1,
    bool Flip = true,
    double? MinSnrGamma = null,
    double NoiseOffset = 0,
    double? EmaDecay = null,
    int CheckpointEvery = 250,
    int CheckpointsTotalLimit = 2,
    int SampleEvery = 250,
    IReadOnlyList<string>? SamplePrompts = null,
    long Seed = 0,
    string Precision = "fp32",
    int Threads = 0,
    bool GradientCheckpointing = false,
    int EvaluateSamples = 0,
    string ChooseBy = AdaptationOptions.ByLoss,
    string EvaluateFeatures = FeatureNetworks.Default)
{
    public const string ByLoss = "loss";
    public const string ByKid = "kid";

    public const string TextToImage = "text-to-image";
    public const string Lora = "lora";
    public const string DreamBooth = "dreambooth";
    public const string TextualInversion = "textual-inversion";
    public const string ControlNet = "controlnet";

    public const string Thing = "object";
    public const string Style = "style";

    /// <summary>Passes over the training pictures in place of steps; null once the steps are known.</summary>
    public int? Epochs { get; init; }

    /// <summary>Pictures keep their proportions: batches of several shapes of about the same area, in place of squares.</summary>
    public bool AspectBuckets { get; init; }

    /// <summary>Samples of the report that is written at the end; null for 64 where they take little time, 0 for none.</summary>
    public int? ReportSamples { get; init; }

    /// <summary>What a new word stands for: <see cref="Style"/>, or <see cref="Thing"/>, as for null.</summary>
    public string? LearnableProperty { get; init; }

    /// <summary>What can be trained.</summary>
    public static IReadOnlyList<string> Recipes { get; } = [TextToImage, Lora, DreamBooth, TextualInversion, ControlNet];

    /// <summary>Refuses values that no run could have, each by its option's name.</summary>
    public AdaptationOptions Checked()
    {
        RunConfig.Require(Steps >= 1, "--steps", Steps, "at least 1");
        RunConfig.Require(Epochs is null or >= 1, "--epochs", Epochs ?? 0, "at least 1");
        RunConfig.Require(BatchSize >= 1, "--batch-size", BatchSize, "at least 1");
        RunConfig.Require(GradientAccumulationSteps >= 1, "--gradient-accumulation-steps", GradientAccumulationSteps, "at least 1");
        RunConfig.Require(Resolution == 0 || Resolution is >= 16 and <= 2048 && Resolution % 8 == 0, "--resolution", Resolution, "a multiple of 8 from 16 to 2048");
        RunConfig.Require(LearningRate > 0 && double.IsFinite(LearningRate), "--learning-rate", LearningRate, "greater than 0");
        RunConfig.Require(LearningRateSchedule.Names.Contains(LrSchedule), "--lr-schedule", LrSchedule, $"one of {string.Join(", ", LearningRateSchedule.Names)}");
        RunConfig.Require(Rank >= 0, "--rank", Rank, "at least 1");
        RunConfig.Require(Recipe != Lora || Rank > 0, "--rank", Rank, "at least 1");
        RunConfig.Require(Alpha is null or > 0, "--alpha", Alpha ?? 0, "greater than 0");
        RunConfig.Require(LoraDropout is >= 0 and < 1, "--lora-dropout", LoraDropout, "0 to below 1");
        RunConfig.Require(Recipe != DreamBooth || !string.IsNullOrWhiteSpace(InstancePrompt), "--instance-prompt", InstancePrompt ?? "", "the caption of your pictures, such as \"a photo of sks cat\"");
        RunConfig.Require(Recipe != TextualInversion || !string.IsNullOrWhiteSpace(PlaceholderToken), "--placeholder-token", PlaceholderToken ?? "", "the new word, such as \"<my-cat>\"");
        RunConfig.Require(Recipe != TextualInversion || !string.IsNullOrWhiteSpace(InitializerToken), "--initializer-token", InitializerToken ?? "", "a word that comes near, such as cat");
        RunConfig.Require(LearnableProperty is null or Thing or Style, "--learnable-property", LearnableProperty ?? "", $"{Thing} or {Style}");
        RunConfig.Require(Recipe != ControlNet || !TrainTextEncoder, "--train-text-encoder", "true", "left out: a ControlNet is trained beside a frozen base");
        RunConfig.Require(Recipe != ControlNet || ClassPrompt is null, "--class-prompt", ClassPrompt ?? "", "left out: a ControlNet leaves the base as it is");
        RunConfig.Require(Recipe != ControlNet || Rank == 0, "--rank", Rank, "left out: a ControlNet is trained as a whole");
        RunConfig.Require(Vectors is >= 1 and <= 64, "--num-vectors", Vectors, "1 to 64");
        RunConfig.Require(CaptionDropout is >= 0 and < 1, "--caption-dropout", CaptionDropout, "0 to below 1");
        RunConfig.Require(ReplayShare is > 0 and < 1, "--replay-share", ReplayShare, "between 0 and 1");
        RunConfig.Require(Replay is null || BatchSize >= 2, "--batch-size", BatchSize, "at least 2 with --replay, which takes a part of it");
        RunConfig.Require(!AspectBuckets || (Recipe != ControlNet && Replay is null && ClassPrompt is null), "--aspect-buckets", "true", "left out with bruma train controlnet, --replay and --class-prompt, whose pictures are squares");
        RunConfig.Require(ReportSamples is null or 0 or >= 2, "--report-samples", ReportSamples ?? 0, "0 (none), or 2 and more");
        RunConfig.Require(ValidationShare is >= 0 and <= 0.5, "--validation-share", ValidationShare, "0 to 0.5");
        RunConfig.Require(EmaDecay is null or (>= 0 and < 1), "--ema-decay", EmaDecay ?? 0, "0 to below 1");
        RunConfig.Require(MinSnrGamma is null or > 0, "--min-snr-gamma", MinSnrGamma ?? 0, "greater than 0");
        RunConfig.Require(ClassImages >= 1, "--class-images", ClassImages, "at least 1");
        RunConfig.Require(CheckpointEvery >= 1, "--checkpoint-every", CheckpointEvery, "at least 1");
        RunConfig.Require(SampleEvery >= 0, "--sample-every", SampleEvery, "0 (never) or more");
        RunConfig.Require(EvaluateSamples is 0 or >= 2, "--evaluate-samples", EvaluateSamples, "0 (none), or 2 and more");
        RunConfig.Require(ChooseBy is ByLoss or ByKid, "--choose-by", ChooseBy, $"{ByLoss} or {ByKid}");
        RunConfig.Require(ChooseBy == ByLoss || EvaluateSamples > 0, "--evaluate-samples", EvaluateSamples, "2 or more with --choose-by kid");
        RunConfig.Require(Precision is "fp32" or "bf16", "--precision", Precision, "fp32 or bf16");
        return this;
    }

    /// <summary>Whether pictures steer what is drawn.</summary>
    internal bool IsSteered => Recipe == ControlNet;

    public string ToJson() => JsonSerializer.Serialize(this, AdaptationOptionsJson.Default.AdaptationOptions) + "\n";

    /// <summary>Reads the <c>config.json</c> of a run.</summary>
    public static AdaptationOptions Read(string path) => RunConfig.Read(path, AdaptationOptionsJson.Default.AdaptationOptions).Checked();
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(AdaptationOptions))]
internal sealed partial class AdaptationOptionsJson : JsonSerializerContext;
