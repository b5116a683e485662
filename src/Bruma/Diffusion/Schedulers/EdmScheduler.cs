using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Base of the algorithms for networks in EDM's preconditioning: x = x0 + σ n, the network sees x / √(σ² + σ_data²) and is told ln(σ) / 4.</summary>
/// <remarks>Karras et al. 2022, arXiv:2206.00364, table 1.</remarks>
public abstract class EdmScheduler : Scheduler
{
    private readonly double[] _timesteps;
    private readonly double[] _sigmas;

    protected EdmScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        if (config.PredictionType is not (PredictionType.Epsilon or PredictionType.VPrediction))
            throw config.Unsupported("prediction_type", config.PredictionType, "epsilon or v_prediction");
        var (largest, smallest) = (config.SigmaMax ?? 80, config.SigmaMin ?? 0.002);
        var levels = config.SigmaSchedule switch
        {
            "karras" => SigmaCurve.Karras(largest, smallest, steps, config.Rho),
            "exponential" => [.. SigmaCurve.Exponential(smallest, largest, steps).Reverse()], // a single level is the smallest: a fact of the reference
            var other => throw config.Unsupported("sigma_schedule", other, "karras or exponential"),
        };
        _timesteps = [.. levels.Select(sigma => Math.Log(sigma) / 4)];
        _sigmas = [.. levels, config.FinalSigmasType == FinalSigmasType.Zero ? 0 : levels[^1]];
    }

    public override IReadOnlyList<double> Timesteps => _timesteps;

    public override IReadOnlyList<double> Sigmas => _sigmas;

    public override double InitNoiseSigma => Math.Sqrt(Math.Pow(Config.SigmaMax ?? 80, 2) + 1);

    public override Tensor ScaleInput(Tensor sample, int step) => sample / Deviation(step);

    /// <summary>c_skip x + c_out F(x), thresholded as configured, [B, C, H, W].</summary>
    public override Tensor Denoised(Tensor prediction, int step, Tensor sample)
    {
        using var scope = NewDisposeScope();
        var (deviation, sign) = (Deviation(step), Config.PredictionType == PredictionType.VPrediction ? -1 : 1);
        var skip = Config.SigmaData * Config.SigmaData / (deviation * deviation);
        var output = sign * _sigmas[step] * Config.SigmaData / deviation;
        return Clip(sample * skip + prediction * output).MoveToOuterDisposeScope();
    }

    public override NoiseLevel LevelAt(int step) => new(1, _sigmas[step]);

    protected override NoiseLevel LevelOf(double timestep) => LevelAt(SigmaGrid.IndexOf(Timesteps, timestep));

    /// <summary>Standard deviation of x, if that of the data is σ_data.</summary>
    private double Deviation(int step) => Math.Sqrt(_sigmas[step] * _sigmas[step] + Config.SigmaData * Config.SigmaData);
}
