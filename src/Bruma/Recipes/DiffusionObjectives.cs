using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;

namespace Bruma.Recipes;

/// <summary>From a run's options to its objective and to the scheduler that draws from the result.</summary>
public static class DiffusionObjectives
{
    public static DiffusionObjective For(DiffusionOptions options) => options.Prediction == "flow"
        ? new DiffusionObjective(PredictionType.Flow, null, NoiseOffset: options.NoiseOffset, InputPerturbation: options.InputPerturbation, FlowSampling: SamplingOf(options.TimestepSampling))
        : new DiffusionObjective(TypeOf(options.Prediction), new NoiseSchedule(Scheduler(options)), options.MinSnrGamma, options.ZeroTerminalSnr && options.Prediction == "v", options.NoiseOffset, options.InputPerturbation);

    /// <summary>Flow is drawn by Heun's method, the others by DDIM; the noisiest step counts (trailing).</summary>
    public static SchedulerConfig Scheduler(DiffusionOptions options) => options.Prediction == "flow"
        ? SchedulerConfig.Default("FlowMatchHeunDiscreteScheduler")
        : SchedulerConfig.Default("DDIMScheduler") with
        {
            BetaSchedule = BetaSchedule.SquaredCosine,
            PredictionType = TypeOf(options.Prediction),
            TimestepSpacing = TimestepSpacing.Trailing,
            RescaleBetasZeroSnr = options.ZeroTerminalSnr && options.Prediction == "v",
        };

    /// <summary>Heun calls the network twice a step.</summary>
    public static int StepsFor(DiffusionOptions options) => options.Prediction == "flow" ? 15 : 30;

    private static FlowSampling SamplingOf(string name) => name switch
    {
        "logit-normal" => FlowSampling.LogitNormal,
        "mode" => FlowSampling.Mode,
        _ => FlowSampling.Uniform,
    };

    private static PredictionType TypeOf(string prediction) => prediction switch
    {
        "epsilon" => PredictionType.Epsilon,
        "sample" => PredictionType.Sample,
        "v" => PredictionType.VPrediction,
        _ => PredictionType.Flow,
    };
}
