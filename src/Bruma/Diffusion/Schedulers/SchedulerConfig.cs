using System.Text.Json.Serialization;

namespace Bruma.Diffusion.Schedulers;

/// <summary>A <c>scheduler_config.json</c>: every key that some scheduler class knows, by the name that diffusers gives it.</summary>
/// <remarks>Start from <see cref="Default"/> or <see cref="Load"/> and change with <c>with</c>: each class has its own defaults,
/// and keys that <see cref="ClassName"/> does not know are neither read nor written.</remarks>
/// <param name="ClassName">diffusers class, such as <c>DDIMScheduler</c>.</param>
/// <param name="TrainedBetas">The variances themselves, in place of a schedule.</param>
/// <param name="StepsOffset">Added to every timestep of leading spacing; 1 for Stable Diffusion.</param>
/// <param name="ClipSample">Clamp the predicted x0 to ± <paramref name="ClipSampleRange"/>.</param>
/// <param name="Thresholding">Dynamic thresholding of the predicted x0 (Imagen, arXiv:2205.11487).</param>
/// <param name="SetAlphaToOne">ᾱ after the last step is 1; otherwise that of training step 0.</param>
/// <param name="RescaleBetasZeroSnr">Shift the schedule so that the noisiest step is noise only (arXiv:2305.08891).</param>
/// <param name="LambdaMinClipped">Leaves out steps whose log(α/σ) is below; -∞ leaves out none.</param>
/// <param name="Shift">Moves flow times towards the noise: t ↦ s t / (1 + (s - 1) t).</param>
public sealed partial record SchedulerConfig(
    [property: JsonPropertyName("_class_name")] string ClassName,
    int NumTrainTimesteps = 1000,
    double BetaStart = 0.0001,
    double BetaEnd = 0.02,
    BetaSchedule BetaSchedule = BetaSchedule.Linear,
    double[]? TrainedBetas = null,
    PredictionType PredictionType = PredictionType.Epsilon,
    TimestepSpacing TimestepSpacing = TimestepSpacing.Linspace,
    int StepsOffset = 0,
    bool ClipSample = false,
    double ClipSampleRange = 1,
    bool Thresholding = false,
    double DynamicThresholdingRatio = 0.995,
    double SampleMaxValue = 1,
    bool SetAlphaToOne = true,
    bool RescaleBetasZeroSnr = false,
    string? VarianceType = null,
    FinalSigmasType FinalSigmasType = FinalSigmasType.Zero,
    bool UseKarrasSigmas = false,
    bool UseExponentialSigmas = false,
    bool UseBetaSigmas = false,
    bool UseLuLambdas = false,
    bool UseFlowSigmas = false,
    double FlowShift = 1,
    string InterpolationType = "linear",
    string TimestepType = "discrete",
    double? SigmaMin = null,
    double? SigmaMax = null,
    double SigmaData = 0.5,
    string SigmaSchedule = "karras",
    double Rho = 7,
    int SolverOrder = 2,
    string AlgorithmType = "dpmsolver++",
    string SolverType = "midpoint",
    bool LowerOrderFinal = true,
    bool EulerAtFinal = false,
    double LambdaMinClipped = double.NegativeInfinity,
    bool PredictX0 = true,
    int[]? DisableCorrector = null,
    [property: JsonPropertyName("solver_p")] string? SolverP = null,
    bool SkipPrkSteps = false,
    int OriginalInferenceSteps = 50,
    double TimestepScaling = 10,
    double Shift = 1,
    double? ShiftTerminal = null,
    bool UseDynamicShifting = false,
    double? BaseShift = 0.5,
    double? MaxShift = 1.15,
    int BaseImageSeqLen = 256,
    int MaxImageSeqLen = 4096,
    string TimeShiftType = "exponential",
    bool InvertSigmas = false,
    bool StochasticSampling = false)
{
    /// <summary>How noise levels are spread, of the three switches.</summary>
    /// <exception cref="BrumaException">More than one is on.</exception>
    [JsonIgnore]
    public SigmaSpacing SigmaSpacing => (UseKarrasSigmas, UseExponentialSigmas, UseBetaSigmas) switch
    {
        (false, false, false) => SigmaSpacing.Discrete,
        (true, false, false) => SigmaSpacing.Karras,
        (false, true, false) => SigmaSpacing.Exponential,
        (false, false, true) => SigmaSpacing.Beta,
        _ => throw new BrumaException($"{ClassName}: more than one of use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas is on; switch on at most one."),
    };

    /// <summary>Whether the network puts variances behind what it predicts.</summary>
    [JsonIgnore]
    internal bool HasLearnedVariance => VarianceType is "learned" or "learned_range";

    /// <summary>The timesteps to visit, falling, in place of those of a spacing; for one run, never stored.</summary>
    [JsonIgnore]
    public IReadOnlyList<double>? GivenTimesteps { get; init; }

    /// <summary>The same algorithm with other noise levels.</summary>
    /// <exception cref="BrumaException">The class has no such switch.</exception>
    public SchedulerConfig With(SigmaSpacing spacing)
    {
        if (Knows("sigma_schedule") && spacing is SigmaSpacing.Karras or SigmaSpacing.Exponential)
            return this with { SigmaSchedule = spacing == SigmaSpacing.Karras ? "karras" : "exponential" };
        if (spacing != SigmaSpacing.Discrete && !Knows("use_karras_sigmas"))
            throw new BrumaException($"{ClassName} takes no {spacing.ToString().ToLowerInvariant()} noise levels; choose an algorithm that does, such as euler or dpm++2m.");
        return this with
        {
            UseKarrasSigmas = spacing == SigmaSpacing.Karras,
            UseExponentialSigmas = spacing == SigmaSpacing.Exponential,
            UseBetaSigmas = spacing == SigmaSpacing.Beta,
        };
    }

    internal BrumaException Unsupported(string key, object? value, string expected) =>
        new($"{ClassName}: {key} is {value ?? "null"}, which Bruma does not implement; expected {expected}.");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(SchedulerConfig))]
internal sealed partial class SchedulerJson : JsonSerializerContext;
