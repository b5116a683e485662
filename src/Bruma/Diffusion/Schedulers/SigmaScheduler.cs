using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Base of the algorithms over noise levels whose sample grows with the noise: x = x0 + σ n. The network sees x / √(σ² + 1).</summary>
public abstract class SigmaScheduler : Scheduler
{
    private readonly double[] _timesteps;
    private readonly double[] _sigmas;

    /// <param name="config">Configuration.</param>
    /// <param name="steps">Denoising steps.</param>
    /// <param name="stages">Network calls per step; 2 repeats every inner noise level.</param>
    protected SigmaScheduler(SchedulerConfig config, int steps, int stages = 1) : base(config, steps)
    {
        if (config.PredictionType == PredictionType.Flow)
            throw config.Unsupported("prediction_type", "flow_prediction", "epsilon, sample or v_prediction, or a flow-matching scheduler");
        Noise = new NoiseSchedule(config, finite: true);
        (_timesteps, _sigmas) = SigmaGrid.Growing(config, Noise, steps);
        if (stages == 2)
            (_timesteps, _sigmas) = SigmaGrid.Repeated(_timesteps, _sigmas);
    }

    public NoiseSchedule Noise { get; }

    public override IReadOnlyList<double> Timesteps => _timesteps;

    public override IReadOnlyList<double> Sigmas => _sigmas;

    public override double InitNoiseSigma => Config.TimestepSpacing == TimestepSpacing.Leading ? Math.Sqrt(_sigmas[0] * _sigmas[0] + 1) : _sigmas[0];

    public override Tensor ScaleInput(Tensor sample, int step)
    {
        var sigma = LevelAt(step).Sigma;
        return sample / Math.Sqrt(sigma * sigma + 1);
    }

    public override NoiseLevel LevelAt(int step) => new(1, _sigmas[step]);

    protected override NoiseLevel LevelOf(double timestep) => new(1, _sigmas[SigmaGrid.IndexOf(Timesteps, timestep)]);

    /// <summary>dx/dσ of the probability-flow ODE.</summary>
    protected Tensor Derivative(Tensor prediction, int step, Tensor sample) => (sample - Denoised(prediction, step, sample)) / LevelAt(step).Sigma;
}
