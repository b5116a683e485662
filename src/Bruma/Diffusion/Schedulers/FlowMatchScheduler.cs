namespace Bruma.Diffusion.Schedulers;

/// <summary>Base of the algorithms on straight paths x = (1 - σ) x0 + σ n, where the network predicts the velocity n - x0 and is told σ times the training steps.</summary>
/// <remarks>Lipman et al. 2023, arXiv:2210.02747; shift of times: Esser et al. 2024, arXiv:2403.03206.</remarks>
public abstract class FlowMatchScheduler : Scheduler
{
    private readonly double[] _timesteps;
    private readonly double[] _sigmas;

    protected FlowMatchScheduler(SchedulerConfig config, int steps, int stages = 1) : base(config, steps)
    {
        if (config.UseDynamicShifting)
            throw config.Unsupported("use_dynamic_shifting", true, "false, with a fixed shift");
        if (config.InvertSigmas)
            throw config.Unsupported("invert_sigmas", true, "false");
        var sigmas = Levels(config, steps);
        double[] timesteps = [.. sigmas.Select(sigma => sigma * config.NumTrainTimesteps)];
        (_timesteps, _sigmas) = (timesteps, [.. sigmas, 0]);
        if (stages == 2)
            (_timesteps, _sigmas) = SigmaGrid.Repeated(_timesteps, _sigmas);
    }

    public override IReadOnlyList<double> Timesteps => _timesteps;

    public override IReadOnlyList<double> Sigmas => _sigmas;

    public override PredictionType Prediction => PredictionType.Flow;

    public override NoiseLevel LevelAt(int step) => new(1 - _sigmas[step], _sigmas[step]);

    protected override NoiseLevel LevelOf(double timestep)
    {
        var sigma = timestep / Config.NumTrainTimesteps;
        return new(1 - sigma, sigma);
    }

    // the range is that of the shifted training times, and is shifted once more: a fact of the reference
    private static double[] Levels(SchedulerConfig config, int steps)
    {
        double Shifted(double t) => config.Shift * t / (1 + (config.Shift - 1) * t);
        double[] sigmas = [.. SigmaCurve.Linspace(Shifted(1), Shifted(1.0 / config.NumTrainTimesteps), steps).Select(Shifted)];
        if (config.ShiftTerminal is { } terminal and not 0)
            sigmas = Stretched(sigmas, terminal);
        return config.SigmaSpacing == SigmaSpacing.Discrete ? sigmas : SigmaCurve.Between(config.SigmaSpacing, sigmas[0], sigmas[^1], steps);
    }

    /// <summary>Scales the distances from pure noise so that the last level is the given one.</summary>
    internal static double[] Stretched(double[] sigmas, double terminal)
    {
        var scale = (1 - sigmas[^1]) / (1 - terminal);
        return [.. sigmas.Select(sigma => 1 - (1 - sigma) / scale)];
    }
}
