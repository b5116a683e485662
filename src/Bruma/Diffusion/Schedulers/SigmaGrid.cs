namespace Bruma.Diffusion.Schedulers;

/// <summary>Timesteps with their noise levels, one level more than timesteps: the last is where the run ends.</summary>
internal static class SigmaGrid
{
    /// <summary>For samples that grow with the noise: timesteps need not be whole.</summary>
    public static (double[] Timesteps, double[] Sigmas) Growing(SchedulerConfig config, NoiseSchedule noise, int steps)
    {
        var timesteps = TimestepGrid.Descending(config, steps).Select(t => (double)(float)t).ToArray();
        double[] sigmas = config.InterpolationType switch
        {
            "linear" => [.. timesteps.Select(noise.Sigma)],
            "log_linear" => SigmaCurve.Exponential(noise.Sigmas[^1], noise.Sigmas[0], steps + 1)[..^1],
            var other => throw config.Unsupported("interpolation_type", other, "linear or log_linear"),
        };
        if (config.SigmaSpacing != SigmaSpacing.Discrete)
        {
            sigmas = SigmaCurve.Between(config.SigmaSpacing, config.SigmaMax ?? sigmas[0], config.SigmaMin ?? sigmas[^1], steps);
            timesteps = [.. sigmas.Select(noise.TimestepOf)];
        }
        if (config.TimestepType is not ("discrete" or "continuous"))
            throw config.Unsupported("timestep_type", config.TimestepType, "discrete or continuous");
        if (config.TimestepType == "continuous" && config.PredictionType == PredictionType.VPrediction)
            timesteps = [.. sigmas.Select(sigma => 0.25 * Math.Log(sigma))];
        return (timesteps, [.. sigmas, config.FinalSigmasType == FinalSigmasType.Zero ? 0 : noise.Sigmas[0]]);
    }

    /// <summary>For samples of unit variance: whole timesteps.</summary>
    public static (double[] Timesteps, double[] Sigmas) Unit(SchedulerConfig config, NoiseSchedule noise, int steps)
    {
        var timesteps = TimestepGrid.WithoutLast(config, steps, config.NumTrainTimesteps - noise.Below(config.LambdaMinClipped));
        double[] sigmas;
        if (config.SigmaSpacing != SigmaSpacing.Discrete)
        {
            sigmas = SigmaCurve.Between(config.SigmaSpacing, config.SigmaMax ?? noise.Sigmas[^1], config.SigmaMin ?? noise.Sigmas[0], steps);
            var round = config.SigmaSpacing == SigmaSpacing.Karras && !(config.ClassName == "DPMSolverMultistepScheduler" && config.BetaSchedule == BetaSchedule.SquaredCosine);
            timesteps = [.. sigmas.Select(noise.TimestepOf).Select(t => round ? Math.Round(t) : Math.Truncate(t))];
        }
        else if (config.UseLuLambdas)
        {
            sigmas = SigmaCurve.Exponential(noise.Sigmas[^1], noise.Sigmas[0], steps); // even in λ
            timesteps = [.. sigmas.Select(noise.TimestepOf).Select(t => config.BetaSchedule == BetaSchedule.SquaredCosine ? Math.Truncate(t) : Math.Round(t))];
        }
        else if (config.UseFlowSigmas)
            (timesteps, sigmas) = Flow(config, steps);
        else
            sigmas = [.. timesteps.Select(noise.Sigma)];
        return (timesteps, sigmas);
    }

    /// <summary>Every inner entry twice, for algorithms of two stages.</summary>
    public static (double[] Timesteps, double[] Sigmas) Repeated(double[] timesteps, double[] sigmas) =>
        ([timesteps[0], .. Twice(timesteps[1..])], [sigmas[0], .. Twice(sigmas[1..^1]), sigmas[^1]]);

    public static IEnumerable<double> Twice(IEnumerable<double> values) => values.SelectMany(value => new[] { value, value });

    /// <summary>The step of a timestep; of a repeated one the second, where a run that begins in the middle begins.</summary>
    public static int IndexOf(IReadOnlyList<double> timesteps, double timestep)
    {
        var nearest = timesteps.Min(t => Math.Abs(t - timestep));
        var found = Enumerable.Range(0, timesteps.Count).Where(i => Math.Abs(timesteps[i] - timestep) <= nearest + 1e-4).Take(2).ToArray();
        return found[^1];
    }

    private static (double[] Timesteps, double[] Sigmas) Flow(SchedulerConfig config, int steps)
    {
        if (config.UseDynamicShifting)
            throw config.Unsupported("use_dynamic_shifting", true, "false, with flow_shift");
        var train = config.NumTrainTimesteps;
        var grid = SigmaCurve.Linspace(1, 1.0 / train, steps + 1);
        // UniPC walks from 1 down, the others reach 1 - 1/N first: facts of the reference
        var times = config.ClassName == "UniPCMultistepScheduler" ? grid[..^1] : [.. grid.Skip(1).Select(t => 1 - t).Reverse()];
        double[] sigmas = [.. times.Select(t => config.FlowShift * t / (1 + (config.FlowShift - 1) * t)).Select(t => Math.Min(t, 1 - 1e-6))];
        return ([.. sigmas.Select(sigma => Math.Truncate(sigma * train))], sigmas);
    }
}
