using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Base of the algorithms for EDM's preconditioned networks: x = x0 + σ n, and the denoiser is c_skip x + c_out F(c_in x, ln σ / 4).</summary>
/// <remarks>Karras et al. 2022, arXiv:2206.00364, table 1.</remarks>
public abstract class EdmScheduler : Scheduler
{
    private readonly double[] _sigmas;

    protected EdmScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        if (config.PredictionType is not (PredictionType.Epsilon or PredictionType.VPrediction))
            throw config.Unsupported("prediction_type", config.PredictionType, "epsilon or v_prediction");
        var (smallest, largest) = (config.SigmaMin ?? 0.002, config.SigmaMax ?? 80);
        var visited = config.SigmaSchedule switch
        {
            "karras" => SigmaCurve.Karras(largest, smallest, steps, config.Rho),
            "exponential" => SigmaCurve.Exponential(largest, smallest, steps),
            var other => throw config.Unsupported("sigma_schedule", other, "karras or exponential"),
        };
        _sigmas = [.. visited, config.FinalSigmasType == FinalSigmasType.Zero ? 0 : visited[^1]];
        Timesteps = [.. visited.Select(sigma => Math.Log(sigma) / 4)];
    }

    public override IReadOnlyList<double> Timesteps { get; }

    public override IReadOnlyList<double> Sigmas => _sigmas;

    public override double InitNoiseSigma => Math.Sqrt(Math.Pow(Config.SigmaMax ?? 80, 2) + 1);

    public override Tensor ScaleInput(Tensor sample, int step) => sample / Math.Sqrt(Total(_sigmas[step]));

    public override Tensor Denoised(Tensor prediction, int step, Tensor sample)
    {
        using var scope = NewDisposeScope();
        var (sigma, data) = (_sigmas[step], Config.SigmaData);
        var output = sigma * data / Math.Sqrt(Total(sigma)) * (Prediction == PredictionType.Epsilon ? 1 : -1);
        return Clip(sample * (data * data / Total(sigma)) + prediction * output).MoveToOuterDisposeScope();
    }

    public override NoiseLevel LevelAt(int step) => new(1, _sigmas[step]);

    protected override NoiseLevel LevelOf(double timestep) => new(1, _sigmas[SigmaGrid.IndexOf(Timesteps, timestep)]);

    private double Total(double sigma) => sigma * sigma + Config.SigmaData * Config.SigmaData;
}

/// <summary>Euler steps for EDM's networks, without churn.</summary>
public sealed class EdmEulerScheduler(SchedulerConfig config, int steps) : EdmScheduler(config, steps)
{
    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var slope = (sample - Denoised(prediction, step, sample)) / Sigmas[step];
        return (sample + slope * (Sigmas[step + 1] - Sigmas[step])).MoveToOuterDisposeScope();
    }
}

/// <summary>DPM++ in multistep form for EDM's networks.</summary>
public sealed class EdmDpmSolverMultistepScheduler : EdmScheduler
{
    private readonly DpmMultistep _multistep;

    public EdmDpmSolverMultistepScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        _multistep = new DpmMultistep(config, steps, LevelAt);
        if (!_multistep.Solver.OnDenoised)
            throw config.Unsupported("algorithm_type", config.AlgorithmType, "dpmsolver++ or sde-dpmsolver++");
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        return _multistep.Step(Denoised(prediction, step, sample), step, sample, noise).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _multistep.Dispose();
        base.Dispose(disposing);
    }
}
