using Bruma.Diffusion.Schedulers;
using Bruma.StableDiffusion;
using Bruma.Training;

namespace Bruma.Recipes.Emoji;

/// <summary>Everything that decides the training of the denoiser with its text encoder: <c>config.json</c> of its run folder.</summary>
/// <param name="Data">Folder of the built data set.</param>
/// <param name="Stages">The run whose stages <c>vae</c> and <c>text</c> it builds on, or a finished model whose weights it begins with.</param>
/// <param name="Widths">From the latents inwards; attention in the last level alone.</param>
/// <param name="Heads">Of every attention.</param>
/// <param name="Groups">Of the norms.</param>
/// <param name="DecaySteps">The last updates, in which the rate falls to 0.</param>
/// <param name="TextRate">The text encoder's learning rate, as a share.</param>
/// <param name="CaptionDropout">Share of pictures without a caption, for guidance.</param>
/// <param name="Composed">Composed pictures that are drawn and encoded once, before the first step.</param>
/// <param name="ComposedShare">Their share of a batch.</param>
/// <param name="ComposedFrom">Pictures seen before the first composed one.</param>
/// <param name="From">A checkpoint to start from, of the run that is cooled down; null starts anew.</param>
/// <param name="FromStep">Its step.</param>
public sealed record EmojiUnetOptions(
    string Data,
    string Stages,
    int[]? Widths = null,
    int LayersPerBlock = 2,
    int Heads = 6,
    int Groups = 32,
    int Steps = 25_000,
    int DecaySteps = 6_250,
    int BatchSize = 64,
    double LearningRate = 4e-4,
    int WarmupSteps = 1_000,
    double TextRate = 0.25,
    double EmaDecay = 0.9995,
    double CaptionDropout = 0.12,
    int Composed = 40_000,
    double ComposedShare = 0.4,
    long ComposedFrom = 400_000,
    int MeasureEvery = 1_000,
    long Seed = 0,
    string Precision = "fp32",
    int Threads = 0,
    string? From = null,
    long FromStep = 0)
{
    public const string RecipeName = "emoji-unet";

    private const double WeightDecay = 0.01;
    private const double MinSnrGamma = 5;

    /// <summary>Names the recipe in <c>config.json</c>, so that <c>resume</c> knows what to run.</summary>
    public string Recipe { get; init; } = RecipeName;

    public int[] Widths { get; init; } = Widths ?? [96, 192];

    /// <summary>What the network predicts and how its pictures are noised: v, down to pure noise.</summary>
    /// <remarks>Lin et al. 2023, arXiv:2305.08891.</remarks>
    public static SchedulerConfig Scheduler { get; } = new(
        "DDIMScheduler", BetaStart: 0.00085, BetaEnd: 0.012, BetaSchedule: BetaSchedule.ScaledLinear, PredictionType: PredictionType.VPrediction, TimestepSpacing: TimestepSpacing.Trailing,
        StepsOffset: 1, RescaleBetasZeroSnr: true);

    /// <summary>Every picture weighed by min(SNR, 5) + 1 over SNR + 1, so that the first step from pure noise counts too.</summary>
    /// <remarks>Hang et al. 2023, arXiv:2303.09556; for v and zero terminal SNR with 1 more above the line.</remarks>
    internal static Diffusion.DiffusionObjective Objective => new(Scheduler.PredictionType, new NoiseSchedule(Scheduler), MinSnrGamma, Scheduler.RescaleBetasZeroSnr);

    /// <summary>Seconds on two cores.</summary>
    public static EmojiUnetOptions Quick(string data, string stages) => new(
        data, stages, Widths: [32, 32], LayersPerBlock: 1, Heads: 2, Groups: 16, Steps: 60, DecaySteps: 20, BatchSize: 16, LearningRate: 2e-3, WarmupSteps: 5, EmaDecay: 0.9, Composed: 64, ComposedFrom: 480, MeasureEvery: 30);

    /// <summary>For a finished model that is trained on: warm-up for a new optimizer, compositions from the start, the last quarter a cool-down whose last fifth is averaged.</summary>
    /// <param name="model">Folder of the model.</param>
    public static EmojiUnetOptions Continued(string data, string model, int steps)
    {
        var decay = Math.Max(1, steps / 4);
        var options = new EmojiUnetOptions(data, model, Steps: steps, DecaySteps: decay, WarmupSteps: Math.Min(500, steps / 10), ComposedFrom: 0);
        return options with { EmaDecay = AverageOf(decay, options.EmaDecay), Composed = Math.Min(options.Composed, 6 * steps) }; // each composition is seen about four times
    }

    /// <summary>The average's decay for a cool-down of so many steps: of its last fifth, since what came before is noisier.</summary>
    internal static double AverageOf(int decaySteps, double most) => Math.Clamp(1 - 5.0 / decaySteps, 0, most);

    internal EmojiStageSettings Settings => new("denoiser", Steps, BatchSize, MeasureEvery, Threads);

    /// <param name="latentChannels">Of the autoencoder.</param>
    /// <param name="contextWidth">Of the text encoder.</param>
    internal UNet2DConditionConfig Network(int latentChannels, int contextWidth) => new(
        EmojiLatents.Side, latentChannels, latentChannels, DownBlockTypes: ["DownBlock2D", "CrossAttnDownBlock2D"], UpBlockTypes: ["CrossAttnUpBlock2D", "UpBlock2D"], BlockOutChannels: Widths,
        LayersPerBlock: new(LayersPerBlock), NormNumGroups: Groups, CrossAttentionDim: new(contextWidth), AttentionHeadDim: new(Heads));

    internal TrainerOptions Trainer => new(
        Steps, new LearningRateSchedule("warmup-stable-linear", LearningRate, WarmupSteps, Steps, DecaySteps: DecaySteps), new AdamWOptions(LearningRate, WeightDecay: WeightDecay), new EmaOptions(EmaDecay), Seed: Seed,
        Group: (name, parameter) => (parameter.dim() >= 2 && !name.Contains("_embedding.weight", StringComparison.Ordinal) ? WeightDecay : 0, name.StartsWith(EmojiGenerator.TextPrefix, StringComparison.Ordinal) ? TextRate : 1));
}
