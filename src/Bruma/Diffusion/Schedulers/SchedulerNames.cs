using System.Collections.Frozen;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Schedulers by the names that users of diffusers, A1111, k-diffusion and stable-diffusion.cpp type, in any case.</summary>
/// <remarks>A name may end in that of its noise levels ("DPM++ 2M Karras"); that name alone keeps the model's algorithm.</remarks>
public static class SchedulerNames
{
    private delegate SchedulerConfig Change(SchedulerConfig config);

    private static readonly FrozenDictionary<string, (string Class, Change Change)> Algorithms = new Dictionary<string, (string Class, Change Change)>
    {
        ["ddpm"] = ("DDPMScheduler", Same),
        ["ddim"] = ("DDIMScheduler", Same),
        ["ddimtrailing"] = ("DDIMScheduler", config => config with { TimestepSpacing = TimestepSpacing.Trailing }),
        ["ddiminverse"] = ("DDIMInverseScheduler", Same),
        ["pndm"] = ("PNDMScheduler", Same),
        ["plms"] = ("PNDMScheduler", config => config with { SkipPrkSteps = true }),
        ["lcm"] = ("LCMScheduler", Same),
        ["tcd"] = ("TCDScheduler", Same),
        ["euler"] = ("EulerDiscreteScheduler", Same),
        ["eulera"] = ("EulerAncestralDiscreteScheduler", Same),
        ["heun"] = ("HeunDiscreteScheduler", Same),
        ["dpm2"] = ("KDPM2DiscreteScheduler", Same),
        ["dpm2a"] = ("KDPM2AncestralDiscreteScheduler", Same),
        ["lms"] = ("LMSDiscreteScheduler", Same),
        ["dpm++2m"] = (Multistep, config => Solver(config, "dpmsolver++", 2)),
        ["dpm++2msde"] = (Multistep, config => Solver(config, "sde-dpmsolver++", 2)),
        ["dpm++2msdeheun"] = (Multistep, config => Solver(config, "sde-dpmsolver++", 2) with { SolverType = "heun" }),
        ["dpm++3m"] = (Multistep, config => Solver(config, "dpmsolver++", 3)),
        ["dpm++3msde"] = (Multistep, config => Solver(config, "sde-dpmsolver++", 3)),
        ["dpm++2s"] = (Singlestep, config => Solver(config, "dpmsolver++", 2)),
        ["dpm++2sa"] = (Singlestep, config => Solver(config, "sde-dpmsolver++", 2)),
        ["dpm++sde"] = (Singlestep, config => Solver(config, "sde-dpmsolver++", 2)),
        ["deis"] = ("DEISMultistepScheduler", Same),
        ["unipc"] = ("UniPCMultistepScheduler", Same),
        ["edmeuler"] = ("EDMEulerScheduler", Same),
        ["edmdpm++2m"] = ("EDMDPMSolverMultistepScheduler", Same),
        ["floweuler"] = ("FlowMatchEulerDiscreteScheduler", Same),
        ["flowheun"] = ("FlowMatchHeunDiscreteScheduler", Same),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, string> Aliases = new Dictionary<string, string>
    {
        ["eulerancestral"] = "eulera",
        ["dpm2ancestral"] = "dpm2a",
        ["dpm++2sancestral"] = "dpm++2sa",
        ["unipcbh2"] = "unipc",
        ["dpm++2mgpu"] = "dpm++2m",
        ["dpm++sdegpu"] = "dpm++sde",
        ["dpm++2msdegpu"] = "dpm++2msde",
        ["dpm++3msdegpu"] = "dpm++3msde",
    }.ToFrozenDictionary();

    // endings, the longest first, so that none hides another
    private static readonly (string Name, Change Change)[] NoiseLevels =
    [
        ("sgmuniform", Trailing),
        ("exponential", config => config.With(SigmaSpacing.Exponential)),
        ("automatic", Same),
        ("discrete", Even),
        ("karras", config => config.With(SigmaSpacing.Karras)),
        ("normal", Even),
        ("simple", Trailing),
        ("beta", config => config.With(SigmaSpacing.Beta)),
        ("ka", config => config.With(SigmaSpacing.Karras)),
    ];

    // of the programs above, without an implementation here
    private static readonly FrozenSet<string> Elsewhere = new[]
    {
        "dpmfast", "dpmadaptive", "dpmad", "restart", "ipndm", "ipndmv", "resmultistep", "res2s", "ersde", "eulercfg++", "euleracfg++", "eulerge", "ddimcfg++",
        "dpm++2mv2", "dpm++2msdebt", "ays", "alignyoursteps", "gits", "smoothstep", "kloptimal", "bongtangent", "ltx2", "logitnormal", "flux", "flux2", "uniform", "polyexponential", "turbo",
        "ddimuniform", "linearquadratic", "dpmsolversdescheduler", "ipndmscheduler", "sasolverscheduler", "dpmsolvermultistepinversescheduler", "cosinedpmsolvermultistepscheduler",
        "flowmatchlcmscheduler", "ddpmparallelscheduler", "ddimparallelscheduler", "repaintscheduler", "scoresdevescheduler", "unclipscheduler", "vqdiffusionscheduler",
    }.ToFrozenSet();

    private const string Multistep = "DPMSolverMultistepScheduler";
    private const string Singlestep = "DPMSolverSinglestepScheduler";

    /// <summary>The configuration of the named algorithm for a model that comes with the given one.</summary>
    /// <exception cref="BrumaException">No such name, or an algorithm that the model cannot take.</exception>
    public static SchedulerConfig Find(string name, SchedulerConfig model)
    {
        if (SchedulerDefaults.ClassNames.FirstOrDefault(known => known.Equals(name.Trim(), StringComparison.OrdinalIgnoreCase)) is { } className)
            return FlowModels.Fit(model, className, name);

        var plain = Plain(name);
        if (Algorithm(plain, model, name) is { } whole)
            return whole;
        foreach (var (ending, change) in NoiseLevels)
            if (plain == ending)
                return change(model);
            else if (plain.EndsWith(ending, StringComparison.Ordinal) && Algorithm(plain[..^ending.Length], model, name) is { } found)
                return change(found);
        var trouble = Elsewhere.Contains(plain) ? "is not implemented in Bruma" : "is no scheduler that Bruma knows";
        var meant = Spelling.Nearest(plain, All) is { } near ? $": did you mean {near}?" : ".";
        throw new BrumaException($"scheduler '{name}' {trouble}{meant} There are {string.Join(", ", All)}.");
    }

    /// <summary>Every algorithm, and every kind of noise levels, by its short name.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "ddpm", "ddim", "ddim_trailing", "pndm", "plms", "lcm", "tcd", "euler", "euler_a", "heun", "dpm2", "dpm2_a", "lms", "dpm++2m", "dpm++2m_sde", "dpm++3m", "dpm++3m_sde",
        "dpm++2s", "dpm++2s_a", "dpm++sde", "deis", "unipc", "edm_euler", "edm_dpm++2m", "flow_euler", "flow_heun",
        "karras", "exponential", "beta", "sgm_uniform", "simple", "discrete",
    ];

    private static SchedulerConfig? Algorithm(string plain, SchedulerConfig model, string name) =>
        Algorithms.TryGetValue(Aliases.GetValueOrDefault(plain, plain), out var found) ? found.Change(FlowModels.Fit(model, found.Class, name)) : null;

    // k_dpmpp_2m, sample_dpmpp_2m, "DPM++ 2M" and dpm++2m are one
    private static string Plain(string name)
    {
        var lower = name.Trim().ToLowerInvariant().Replace('-', '_').Replace(' ', '_');
        foreach (var prefix in (string[])["sample_", "k_"])
            if (lower.StartsWith(prefix, StringComparison.Ordinal))
                lower = lower[prefix.Length..];
        return lower.Replace("_", "", StringComparison.Ordinal).Replace("dpmpp", "dpm++", StringComparison.Ordinal).Replace("cfgpp", "cfg++", StringComparison.Ordinal);
    }

    private static SchedulerConfig Same(SchedulerConfig config) => config;

    private static SchedulerConfig Solver(SchedulerConfig config, string algorithm, int order) =>
        config with { AlgorithmType = algorithm, SolverOrder = order, SolverType = "midpoint", FinalSigmasType = FinalSigmasType.Zero, LowerOrderFinal = true };

    private static SchedulerConfig Trailing(SchedulerConfig config) => Spaced(config, TimestepSpacing.Trailing);

    private static SchedulerConfig Even(SchedulerConfig config) => Spaced(config, TimestepSpacing.Linspace);

    // classes without the key visit the same steps always
    private static SchedulerConfig Spaced(SchedulerConfig config, TimestepSpacing spacing)
    {
        var discrete = config.With(SigmaSpacing.Discrete) with { UseLuLambdas = false };
        return config.Knows("timestep_spacing") ? discrete with { TimestepSpacing = spacing }
            : spacing == TimestepSpacing.Linspace ? discrete
            : throw new BrumaException($"{config.ClassName} has no timestep_spacing and takes neither simple nor sgm_uniform noise levels; choose discrete or karras, or another algorithm.");
    }
}
