using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Base of the multistep solvers: samples of unit variance, x = α x0 + σ n with α² + σ² = 1 (α + σ = 1 for flow), over noise levels σ / α.</summary>
public abstract class UnitScheduler : Scheduler
{
    private readonly double[] _timesteps;
    private readonly double[] _sigmas;

    protected UnitScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        Noise = new NoiseSchedule(config, finite: true);
        (_timesteps, _sigmas) = SigmaGrid.Unit(config, Noise, steps);
        _sigmas = [.. _sigmas, FinalSigma(_sigmas[^1])];
    }

    public NoiseSchedule Noise { get; }

    public override IReadOnlyList<double> Timesteps => _timesteps;

    public override IReadOnlyList<double> Sigmas => _sigmas;

    /// <summary>The noise level at which the run ends.</summary>
    /// <param name="smallest">The last one visited.</param>
    protected virtual double FinalSigma(double smallest) => Config.FinalSigmasType == FinalSigmasType.Zero ? 0 : Noise.Sigmas[0];

    public override NoiseLevel LevelAt(int step) => Level(_sigmas[step]);

    protected override NoiseLevel LevelOf(double timestep) => Level(_sigmas[SigmaGrid.IndexOf(Timesteps, timestep)]);

    /// <summary>ln(α / σ) where a step begins: half the log signal-to-noise ratio.</summary>
    protected double Lambda(int step) => Math.Log(LevelAt(step).Alpha) - Math.Log(LevelAt(step).Sigma);

    /// <summary>The noise that the prediction amounts to, after thresholding of x0 where that is configured.</summary>
    protected Tensor NoiseOf(Tensor prediction, int step, Tensor sample)
    {
        using var scope = NewDisposeScope();
        var noise = Config.Thresholding
            ? Predictions.Noise(PredictionType.Sample, Denoised(prediction, step, sample), sample, LevelAt(step))
            : Predictions.Noise(Prediction, prediction, sample, LevelAt(step));
        return noise.MoveToOuterDisposeScope();
    }

    private NoiseLevel Level(double sigma)
    {
        if (Config.UseFlowSigmas)
            return new NoiseLevel(1 - sigma, sigma);
        var alpha = 1 / Math.Sqrt(sigma * sigma + 1);
        return new NoiseLevel(alpha, sigma * alpha);
    }
}
