using Bruma.Diffusion.Schedulers;

namespace Bruma.StableDiffusion;

/// <summary>A scheduler as A1111 calls it.</summary>
internal static class SamplerNames
{
    public static (string Sampler, string? Schedule) Of(SchedulerConfig config)
    {
        var sampler = config.ClassName switch
        {
            "EulerDiscreteScheduler" => "Euler",
            "EulerAncestralDiscreteScheduler" => "Euler a",
            "HeunDiscreteScheduler" => "Heun",
            "LMSDiscreteScheduler" => "LMS",
            "KDPM2DiscreteScheduler" => "DPM2",
            "KDPM2AncestralDiscreteScheduler" => "DPM2 a",
            "DDIMScheduler" => "DDIM",
            "PNDMScheduler" => "PLMS",
            "LCMScheduler" => "LCM",
            "UniPCMultistepScheduler" => "UniPC",
            "DPMSolverSinglestepScheduler" => config.AlgorithmType.StartsWith("sde", StringComparison.Ordinal) ? "DPM++ SDE" : "DPM++ 2S",
            "DPMSolverMultistepScheduler" => $"DPM++ {config.SolverOrder}M{(config.AlgorithmType.StartsWith("sde", StringComparison.Ordinal) ? " SDE" : "")}",
            var other => other,
        };
        var schedule = config.UseKarrasSigmas ? "Karras" : config.UseExponentialSigmas ? "Exponential" : config.UseBetaSigmas ? "Beta" : null;
        return (sampler, schedule);
    }
}
