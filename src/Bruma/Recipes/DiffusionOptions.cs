using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bruma.Recipes;

/// <summary>Everything that decides a training run of a diffusion model from scratch: <c>config.json</c> of its run folder.</summary>
/// <param name="Data"><c>fashion-mnist</c> or a folder of images.</param>
/// <param name="Steps">Optimizer updates.</param>
/// <param name="BatchSize">Images per micro-batch.</param>
/// <param name="GradientAccumulationSteps">Micro-batches per update.</param>
/// <param name="Resolution">Height and width in pixels; 0 takes the data's own size up to 64.</param>
/// <param name="Prediction">What the network predicts: <c>epsilon</c>, <c>v</c>, <c>sample</c> or <c>flow</c>.</param>
/// <param name="TimestepSampling">How times of flow are drawn: <c>uniform</c>, <c>logit-normal</c> or <c>mode</c>.</param>
/// <param name="ClassDropout">Share of examples trained without their class, so that guidance works.</param>
/// <param name="MinSnrGamma">Min-SNR weighting (arXiv:2303.09556); null for none.</param>
/// <param name="Flip">Mirror half of the images; null for photos only (digits and garments have a side).</param>
/// <param name="Precision"><c>bf16</c> or <c>fp32</c>.</param>
/// <param name="EvaluateEvery">Updates between measurements of samples against real pictures; 0 for none.</param>
/// <param name="EvaluateSamples">Pictures drawn for each.</param>
/// <param name="Threads">Threads of the native library; 0 for all processors.</param>
public sealed record DiffusionOptions(
    string Data,
    int Steps = 3000,
    int BatchSize = 0,
    int GradientAccumulationSteps = 1,
    int CheckpointEvery = 500,
    int SampleEvery = 500,
    int CheckpointsTotalLimit = 0,
    long Seed = 0,
    string Precision = "fp32",
    int Threads = 0,
    int Resolution = 0,
    string Prediction = "flow",
    string TimestepSampling = "uniform",
    double LearningRate = 1e-3,
    string LrSchedule = "warmup-stable-linear",
    int LrWarmupSteps = 100,
    double WeightDecay = 0.01,
    double MaxGradientNorm = 1,
    double EmaDecay = 0.999,
    double ClassDropout = 0.1,
    double Dropout = 0,
    double? MinSnrGamma = null,
    double NoiseOffset = 0,
    double InputPerturbation = 0,
    bool ZeroTerminalSnr = true,
    bool? Flip = null,
    bool RandomCrop = false,
    bool GradientCheckpointing = false,
    int ReportSamples = 500,
    int EvaluateEvery = 0,
    int EvaluateSamples = 256)
{
    /// <summary>Names the recipe in <c>config.json</c>, so that <c>resume</c> knows what to run.</summary>
    public string Recipe { get; init; } = RecipeName;

    public const string RecipeName = "diffusion";

    private static readonly string[] Predictions = ["epsilon", "v", "sample", "flow"];
    private static readonly string[] Samplings = ["uniform", "logit-normal", "mode"];

    /// <summary>Refuses values that no run could have, each by its option's name.</summary>
    public DiffusionOptions Checked()
    {
        RunConfig.Require(Steps >= 1, "--steps", Steps, "at least 1");
        RunConfig.Require(BatchSize >= 0, "--batch-size", BatchSize, "at least 1");
        RunConfig.Require(GradientAccumulationSteps >= 1, "--gradient-accumulation-steps", GradientAccumulationSteps, "at least 1");
        RunConfig.Require(CheckpointEvery >= 1, "--checkpoint-every", CheckpointEvery, "at least 1");
        RunConfig.Require(SampleEvery >= 0, "--sample-every", SampleEvery, "0 (never) or more");
        RunConfig.Require(Resolution == 0 || Resolution is >= 8 and <= 256, "--resolution", Resolution, "8 to 256");
        RunConfig.Require(LearningRate > 0 && double.IsFinite(LearningRate), "--learning-rate", LearningRate, "greater than 0");
        RunConfig.Require(EmaDecay is >= 0 and < 1, "--ema-decay", EmaDecay, "0 to below 1");
        RunConfig.Require(ClassDropout is >= 0 and < 1, "--class-dropout", ClassDropout, "0 to below 1");
        RunConfig.Require(Dropout is >= 0 and < 1, "--dropout", Dropout, "0 to below 1");
        RunConfig.Require(Threads >= 0, "--threads", Threads, "0 (all) or more");
        RunConfig.Require(Precision is "fp32" or "bf16", "--precision", Precision, "fp32 or bf16");
        RunConfig.Require(Samplings.Contains(TimestepSampling), "--timestep-sampling", TimestepSampling, string.Join(", ", Samplings));
        RunConfig.Require(TimestepSampling == "uniform" || Prediction == "flow", "--timestep-sampling", TimestepSampling, $"uniform with --prediction {Prediction}; the others are for flow");
        RunConfig.Require(MinSnrGamma is null || Prediction != "flow", "--min-snr-gamma", MinSnrGamma, "left out with --prediction flow, whose loss is even in time");
        RunConfig.Require(MinSnrGamma is null or > 0, "--min-snr-gamma", MinSnrGamma, "greater than 0");
        RunConfig.Require(WeightDecay >= 0, "--weight-decay", WeightDecay, "0 or more");
        RunConfig.Require(MaxGradientNorm > 0, "--max-gradient-norm", MaxGradientNorm, "greater than 0");
        RunConfig.Require(LrWarmupSteps >= 0, "--lr-warmup-steps", LrWarmupSteps, "0 or more");
        RunConfig.Require(NoiseOffset >= 0, "--noise-offset", NoiseOffset, "0 or more");
        RunConfig.Require(InputPerturbation >= 0, "--input-perturbation", InputPerturbation, "0 or more");
        RunConfig.Require(ReportSamples >= 0, "--report-samples", ReportSamples, "0 (no report) or more");
        RunConfig.Require(EvaluateEvery >= 0, "--evaluate-every", EvaluateEvery, "0 (never) or more");
        RunConfig.Require(EvaluateSamples >= 16, "--evaluate-samples", EvaluateSamples, "at least 16");
        RunConfig.Require(CheckpointsTotalLimit >= 0, "--checkpoints-total-limit", CheckpointsTotalLimit, "0 (all) or more");
        RunConfig.Require(Predictions.Contains(Prediction), "--prediction", Prediction, string.Join(", ", Predictions));
        return this;
    }

    public string ToJson() => JsonSerializer.Serialize(this, DiffusionOptionsJson.Default.DiffusionOptions) + "\n";

    /// <summary>Reads the <c>config.json</c> of a run.</summary>
    public static DiffusionOptions Read(string path) => RunConfig.Read(path, DiffusionOptionsJson.Default.DiffusionOptions).Checked();
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DiffusionOptions))]
internal sealed partial class DiffusionOptionsJson : JsonSerializerContext;
