namespace Bruma.Diffusion.Schedulers;

/// <summary>Schedulers by the names that users of diffusers, A1111 and stable-diffusion.cpp type; case, blanks, hyphens and underscores do not matter.</summary>
public static class SchedulerNames
{
    private static readonly Dictionary<string, (string Class, Func<SchedulerConfig, SchedulerConfig>? Change)> Algorithms = new(StringComparer.Ordinal)
    {
        ["ddpm"] = ("DDPMScheduler", null),
        ["ddim"] = ("DDIMScheduler", null),
        ["ddimtrailing"] = ("DDIMScheduler", config => config with { TimestepSpacing = TimestepSpacing.Trailing }),
        ["euler"] = ("EulerDiscreteScheduler", null),
        ["eulera"] = ("EulerAncestralDiscreteScheduler", null),
        ["eulerancestral"] = ("EulerAncestralDiscreteScheduler", null),
        ["heun"] = ("HeunDiscreteScheduler", null),
        ["dpm2"] = ("KDPM2DiscreteScheduler", null),
        ["dpm2a"] = ("KDPM2AncestralDiscreteScheduler", null),
        ["dpm2ancestral"] = ("KDPM2AncestralDiscreteScheduler", null),
        ["lms"] = ("LMSDiscreteScheduler", null),
        ["pndm"] = ("PNDMScheduler", null),
        ["plms"] = ("PNDMScheduler", config => config with { SkipPrkSteps = true }),
        ["lcm"] = ("LCMScheduler", null),
        ["tcd"] = ("TCDScheduler", null),
        ["deis"] = ("DEISMultistepScheduler", null),
        ["unipc"] = ("UniPCMultistepScheduler", null),
        ["dpm++2m"] = ("DPMSolverMultistepScheduler", Solver("dpmsolver++", 2)),
        ["dpm++2msde"] = ("DPMSolverMultistepScheduler", Solver("sde-dpmsolver++", 2)),
        ["dpm++3m"] = ("DPMSolverMultistepScheduler", Solver("dpmsolver++", 3)),
        ["dpm++3msde"] = ("DPMSolverMultistepScheduler", Solver("sde-dpmsolver++", 3)),
        ["dpm++2s"] = ("DPMSolverSinglestepScheduler", Solver("dpmsolver++", 2)),
        ["dpm++sde"] = ("DPMSolverSinglestepScheduler", Solver("sde-dpmsolver++", 2)),
        ["edmeuler"] = ("EDMEulerScheduler", null),
        ["edmdpm++2m"] = ("EDMDPMSolverMultistepScheduler", null),
        ["floweuler"] = ("FlowMatchEulerDiscreteScheduler", null),
        ["flowheun"] = ("FlowMatchHeunDiscreteScheduler", null),
    };

    private static readonly Dictionary<string, Func<SchedulerConfig, SchedulerConfig>> NoiseLevels = new(StringComparer.Ordinal)
    {
        ["karras"] = config => config.With(SigmaSpacing.Karras),
        ["exponential"] = config => config.With(SigmaSpacing.Exponential),
        ["beta"] = config => config.With(SigmaSpacing.Beta),
        ["discrete"] = config => config.With(SigmaSpacing.Discrete),
        ["normal"] = config => config.With(SigmaSpacing.Discrete),
        ["sgmuniform"] = config => config.With(SigmaSpacing.Discrete) with { TimestepSpacing = TimestepSpacing.Trailing },
    };

    /// <summary>Short names of the algorithms.</summary>
    public static IEnumerable<string> Known => Algorithms.Keys;

    /// <summary>The configuration of the named algorithm for a model that comes with the given one. A name of noise levels alone (karras) keeps the model's algorithm; both may be given ("DPM++ 2M Karras").</summary>
    /// <exception cref="BrumaException">No such name, or it does not fit what the model predicts.</exception>
    public static SchedulerConfig Find(string name, SchedulerConfig model)
    {
        var plain = Plain(name);
        if (NoiseLevels.TryGetValue(plain, out var levels))
            return levels(model);
        if (Scheduler.Knows(name))
            return Fitting(name, model, name);
        if (Algorithms.ContainsKey(plain))
            return Named(plain, model, name);
        var ending = NoiseLevels.Keys.FirstOrDefault(ending => plain.EndsWith(ending, StringComparison.Ordinal) && Algorithms.ContainsKey(plain[..^ending.Length]));
        return ending is null
            ? throw new BrumaException($"--scheduler {name}: no such scheduler; known are {string.Join(", ", Algorithms.Keys)}, each also with {string.Join(", ", NoiseLevels.Keys)}.")
            : NoiseLevels[ending](Named(plain[..^ending.Length], model, name));
    }

    private static SchedulerConfig Named(string plain, SchedulerConfig model, string typed)
    {
        var (className, change) = Algorithms[plain];
        var config = Fitting(className, model, typed);
        return change is null || config.ClassName != className ? config : change(config);
    }

    private static SchedulerConfig Fitting(string className, SchedulerConfig model, string typed)
    {
        var isFlow = model.ClassName.StartsWith("FlowMatch", StringComparison.Ordinal);
        var wanted = isFlow
            ? className switch
            {
                "EulerDiscreteScheduler" => "FlowMatchEulerDiscreteScheduler",
                "HeunDiscreteScheduler" => "FlowMatchHeunDiscreteScheduler",
                _ => className,
            }
            : className;
        if (wanted.StartsWith("FlowMatch", StringComparison.Ordinal) == isFlow)
            return model.As(wanted);
        throw new BrumaException(isFlow
            ? $"--scheduler {typed}: the model predicts flow, which euler and heun can follow; choose one of these."
            : $"--scheduler {typed}: the model does not predict flow; choose ddim, ddpm, euler, dpm++2m or another.");
    }

    private static Func<SchedulerConfig, SchedulerConfig> Solver(string algorithm, int order) => config => config with { AlgorithmType = algorithm, SolverOrder = order };

    private static string Plain(string name)
    {
        var lower = name.ToLowerInvariant();
        if (lower.StartsWith("k_", StringComparison.Ordinal))
            lower = lower[2..];
        return lower.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal)
            .Replace("dpmpp", "dpm++", StringComparison.Ordinal).Replace("dpmsolver++", "dpm++2m", StringComparison.Ordinal);
    }
}
