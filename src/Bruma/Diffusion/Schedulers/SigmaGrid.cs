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
            "log_linear" => SigmaCurve.Exponential(noise.Sigmas[^1], noise.Sigmas[0], steps + 1), // one level more, where the last step ends: a fact of the reference
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

    /// <summary>For samples of unit variance and for flow: whole timesteps.</summary>
    public static (double[] Timesteps, double[] Sigmas) Unit(SchedulerConfig config, NoiseSchedule noise, int steps)
    {
        var discrete = config.SigmaSpacing == SigmaSpacing.Discrete && !config.UseLuLambdas;
        var (timesteps, sigmas) = !discrete ? Spread(config, noise, steps)
            : config.UseFlowSigmas ? Flow(config, steps)
            : Visited(TimestepGrid.WithoutLast(config, steps, config.NumTrainTimesteps - noise.Below(config.LambdaMinClipped)), noise);

        var ownSmallest = config.ClassName is "UniPCMultistepScheduler" or "DEISMultistepScheduler" && (!discrete || config.UseFlowSigmas);
        var last = config.FinalSigmasType == FinalSigmasType.Zero && config.Knows("final_sigmas_type") ? 0 : ownSmallest ? sigmas[^1] : noise.Sigmas[0];
        return ([.. timesteps.Select(Math.Truncate)], [.. sigmas.Append(last).Select(sigma => (double)(float)sigma)]);
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

    private static (double[] Timesteps, double[] Sigmas) Visited(double[] timesteps, NoiseSchedule noise) => (timesteps, [.. timesteps.Select(noise.Sigma)]);

    // Lu's even λ are geometric noise levels whose timesteps are rounded
    private static (double[] Timesteps, double[] Sigmas) Spread(SchedulerConfig config, NoiseSchedule noise, int steps)
    {
        var karras = config.SigmaSpacing == SigmaSpacing.Karras;
        var sigmas = !karras && config.UseLuLambdas
            ? [.. SigmaCurve.Linspace(noise.LogSigmas[^1], noise.LogSigmas[0], steps).Select(Math.Exp)]
            : SigmaCurve.Between(config.SigmaSpacing, config.SigmaMax ?? noise.Sigmas[^1], config.SigmaMin ?? noise.Sigmas[0], steps);
        if (config.UseFlowSigmas)
        {
            if (!karras || config.ClassName != "UniPCMultistepScheduler")
                throw config.Unsupported("use_flow_sigmas", "true with noise levels spread otherwise", "one of the two");
            sigmas = [.. sigmas.Select(sigma => sigma / (sigma + 1))];
            return ([.. sigmas.Select(sigma => sigma * config.NumTrainTimesteps)], sigmas);
        }
        var whole = (karras || config.UseLuLambdas) && !(config.ClassName == "DPMSolverMultistepScheduler" && config.BetaSchedule == BetaSchedule.SquaredCosine);
        return ([.. sigmas.Select(noise.TimestepOf).Select(t => whole ? Math.Round(t) : t)], sigmas);
    }

    private static (double[] Timesteps, double[] Sigmas) Flow(SchedulerConfig config, int steps)
    {
        if (config.UseDynamicShifting)
            throw config.Unsupported("use_dynamic_shifting", true, "false, with flow_shift");
        // UniPC walks from 1 down, the others reach 1 - 1/N first: facts of the reference
        var fromNoise = config.ClassName == "UniPCMultistepScheduler";
        var grid = SigmaCurve.Linspace(1, 1.0 / config.NumTrainTimesteps, steps + 1);
        double[] times = fromNoise ? grid[..^1] : [.. grid.Skip(1).Select(t => 1 - t).Reverse()];
        double[] sigmas = [.. times.Select(t => config.FlowShift * t / (1 + (config.FlowShift - 1) * t))];
        if (config.ShiftTerminal is { } terminal and not 0)
            sigmas = FlowMatchScheduler.Stretched(sigmas, terminal);
        if (fromNoise && Math.Abs(sigmas[0] - 1) < 1e-6)
            sigmas[0] -= 1e-6;
        return ([.. sigmas.Select(sigma => sigma * config.NumTrainTimesteps)], sigmas);
    }
}
