namespace Bruma.Diffusion.Schedulers;

/// <summary>The training steps that a denoising run visits, the noisiest first.</summary>
internal static class TimestepGrid
{
    /// <summary>One timestep for each denoising step; not rounded.</summary>
    public static double[] Descending(SchedulerConfig config, int steps)
    {
        if (config.GivenTimesteps is not null)
            return Given(config);
        var train = config.NumTrainTimesteps;
        return config.TimestepSpacing switch
        {
            TimestepSpacing.Linspace => [.. SigmaCurve.Linspace(0, train - 1, steps).Reverse()],
            TimestepSpacing.Leading => [.. Enumerable.Range(0, steps).Select(i => (double)(i * (train / steps) + config.StepsOffset)).Reverse()],
            _ => Trailing(train, train, steps),
        };
    }

    /// <summary>As <see cref="Descending"/>, in whole numbers.</summary>
    public static double[] Whole(SchedulerConfig config, int steps) => [.. Descending(config, steps).Select(t => Math.Round(t))];

    /// <summary>Whole timesteps of a grid with one more point, the least noisy, which is left out: it is where the run ends.</summary>
    public static double[] WithoutLast(SchedulerConfig config, int steps, int train) => config.GivenTimesteps is not null ? Given(config) : config.TimestepSpacing switch
    {
        TimestepSpacing.Linspace => [.. SigmaCurve.Linspace(0, train - 1, steps + 1).Skip(1).Select(t => Math.Round(t)).Reverse()],
        TimestepSpacing.Leading => [.. Enumerable.Range(1, steps).Select(i => (double)(i * (train / (steps + 1)) + config.StepsOffset)).Reverse()],
        _ => Trailing(config.NumTrainTimesteps, train, steps),
    };

    /// <summary>The steps of a distilled consistency model: evenly among the steps that it was trained on.</summary>
    /// <param name="strength">The share of those, from the cleanest on, that is used: all steps lie there.</param>
    /// <exception cref="BrumaException">More steps than it was trained on.</exception>
    public static double[] OfConsistency(SchedulerConfig config, int steps, double strength = 1)
    {
        if (config.GivenTimesteps is not null)
            return Given(config);
        var trained = (int)(config.OriginalInferenceSteps * strength);
        if (steps > trained)
            throw new BrumaException($"{config.ClassName}: {steps} steps, but the model was distilled for at most original_inference_steps = {config.OriginalInferenceSteps}{(strength < 1 ? FormattableString.Invariant($", of which strength {strength} leaves {trained}") : "")}; ask for fewer.");
        var apart = config.NumTrainTimesteps / config.OriginalInferenceSteps;
        return [.. Enumerable.Range(0, steps).Select(i => (double)((trained - (int)Math.Floor((double)i * trained / steps)) * apart - 1))];
    }

    /// <summary>The caller's own.</summary>
    private static double[] Given(SchedulerConfig config)
    {
        var timesteps = config.GivenTimesteps!;
        if (config.ClassName is "DDIMScheduler" or "DDIMInverseScheduler" or "DDPMScheduler" or "PNDMScheduler" || config.SigmaSpacing != SigmaSpacing.Discrete)
            throw config.Unsupported("timesteps", "a list", "a number of steps, or an algorithm such as euler with discrete noise levels");
        for (var i = 0; i < timesteps.Count; i++)
            if (!(timesteps[i] >= 0 && timesteps[i] < config.NumTrainTimesteps && (i == 0 || timesteps[i] < timesteps[i - 1])))
                throw new BrumaException(FormattableString.Invariant($"timesteps: number {i + 1} is {timesteps[i]}; they must fall, from below {config.NumTrainTimesteps} to at least 0."));
        return [.. timesteps];
    }

    private static double[] Trailing(int train, int from, int steps)
    {
        var apart = (double)train / steps;
        var count = (int)Math.Ceiling(from / apart - 1e-9);
        return [.. Enumerable.Range(0, count).Select(i => Math.Round(from - i * apart) - 1)];
    }
}
