using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Base of the solvers that step in λ = ln(α / σ) and keep the sample at unit variance, or on the straight paths of flow models.</summary>
/// <remarks>Lu et al. 2022, arXiv:2206.00927. <see cref="Scheduler.Sigmas"/> holds σ / α; for flow models σ itself, with α = 1 - σ.</remarks>
public abstract class LambdaScheduler : Scheduler
{
    private readonly double[] _timesteps;
    private readonly double[] _sigmas;

    protected LambdaScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        if (config.UseFlowSigmas && config.PredictionType == PredictionType.VPrediction)
            throw config.Unsupported("prediction_type", "v_prediction with use_flow_sigmas", "flow_prediction, epsilon or sample");
        if (!config.UseFlowSigmas && config.PredictionType == PredictionType.Flow)
            throw config.Unsupported("use_flow_sigmas", "false with prediction_type flow_prediction", "true");
        Noise = new NoiseSchedule(config, finite: true);
        (_timesteps, _sigmas) = SigmaGrid.Unit(config, Noise, steps);
    }

    public NoiseSchedule Noise { get; }

    public override IReadOnlyList<double> Timesteps => _timesteps;

    public override IReadOnlyList<double> Sigmas => _sigmas;

    public override NoiseLevel LevelAt(int step) => Level(_sigmas[step]);

    public override Tensor Denoised(Tensor prediction, int step, Tensor sample) => base.Denoised(WithoutVariance(prediction, sample), step, sample);

    protected override NoiseLevel LevelOf(double timestep) => LevelAt(SigmaGrid.IndexOf(Timesteps, timestep));

    /// <summary>The predicted noise, of the sample's shape; with a threshold, that of the thresholded x0.</summary>
    protected Tensor NoiseIn(Tensor prediction, int step, Tensor sample)
    {
        var level = LevelAt(step);
        return Config.Thresholding
            ? Predictions.Noise(PredictionType.Sample, Denoised(prediction, step, sample), sample, level)
            : Predictions.Noise(Prediction, WithoutVariance(prediction, sample), sample, level);
    }

    private NoiseLevel Level(double sigma)
    {
        if (Config.UseFlowSigmas)
            return new(1 - sigma, sigma);
        var alpha = 1 / Math.Sqrt(sigma * sigma + 1);
        return new(alpha, sigma * alpha);
    }

    // a network with learned variances puts them behind the noise
    private Tensor WithoutVariance(Tensor prediction, Tensor sample) =>
        Prediction == PredictionType.Epsilon && Config.HasLearnedVariance ? prediction.narrow(1, 0, sample.shape[1]) : prediction;
}
