namespace Bruma.Diffusion.Schedulers;

/// <summary>The class that runs each configuration.</summary>
internal static class SchedulerClasses
{
    private static readonly Dictionary<string, Func<SchedulerConfig, int, SchedulerOptions, Scheduler>> Known = new(StringComparer.Ordinal)
    {
        ["DDPMScheduler"] = (config, steps, _) => new DdpmScheduler(config, steps),
        ["DDIMScheduler"] = (config, steps, options) => new DdimScheduler(config, steps, options.Eta ?? 0, options.UseClippedModelOutput),
        ["DDIMInverseScheduler"] = (config, steps, _) => new DdimInverseScheduler(config, steps),
        ["EulerDiscreteScheduler"] = (config, steps, _) => new EulerScheduler(config, steps),
        ["EulerAncestralDiscreteScheduler"] = (config, steps, _) => new EulerAncestralScheduler(config, steps),
        ["HeunDiscreteScheduler"] = (config, steps, _) => new HeunScheduler(config, steps),
        ["KDPM2DiscreteScheduler"] = (config, steps, _) => new Dpm2Scheduler(config, steps, ancestral: false),
        ["KDPM2AncestralDiscreteScheduler"] = (config, steps, _) => new Dpm2Scheduler(config, steps, ancestral: true),
        ["LMSDiscreteScheduler"] = (config, steps, _) => new LmsScheduler(config, steps),
        ["PNDMScheduler"] = (config, steps, _) => new PndmScheduler(config, steps),
        ["LCMScheduler"] = (config, steps, _) => new LcmScheduler(config, steps),
        ["TCDScheduler"] = (config, steps, options) => new TcdScheduler(config, steps, options.Eta ?? 0.3),
        ["DPMSolverMultistepScheduler"] = (config, steps, _) => new DpmMultistepScheduler(config, steps),
        ["UniPCMultistepScheduler"] = (config, steps, _) => new UniPcScheduler(config, steps),
        ["DEISMultistepScheduler"] = (config, steps, _) => new DeisScheduler(config, steps),
        ["DPMSolverSinglestepScheduler"] = (config, steps, _) => new DpmSinglestepScheduler(config, steps),
        ["EDMEulerScheduler"] = (config, steps, _) => new EdmEulerScheduler(config, steps),
        ["EDMDPMSolverMultistepScheduler"] = (config, steps, _) => new EdmDpmScheduler(config, steps),
        ["FlowMatchEulerDiscreteScheduler"] = (config, steps, _) => new FlowMatchEulerScheduler(config, steps),
        ["FlowMatchHeunDiscreteScheduler"] = (config, steps, _) => new FlowMatchHeunScheduler(config, steps),
    };

    public static bool Knows(string className) => Known.ContainsKey(className);

    public static Scheduler Create(SchedulerConfig config, int steps, SchedulerOptions options) =>
        Known.TryGetValue(config.ClassName, out var create) ? create(config, steps, options) : throw config.Unsupported("_class_name", config.ClassName, "another scheduler");
}
