using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Which keys each scheduler class knows, and what a missing one means: facts of the checkpoint format.</summary>
internal static class SchedulerDefaults
{
    private const string Betas = """ "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear", "trained_betas": null, "prediction_type": "epsilon", "steps_offset": 0 """;
    private const string Threshold = """ "thresholding": false, "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0 """;
    private const string Clip = """ "clip_sample": true, "clip_sample_range": 1.0 """;
    private const string ZeroSnr = """ "rescale_betas_zero_snr": false """;
    private const string Leading = """ "timestep_spacing": "leading" """;
    private const string Linspace = """ "timestep_spacing": "linspace" """;
    private const string Spacings = """ "use_karras_sigmas": false, "use_exponential_sigmas": false, "use_beta_sigmas": false """;
    private const string FlowSigmas = """ "use_flow_sigmas": false, "flow_shift": 1.0, "use_dynamic_shifting": false, "time_shift_type": "exponential" """;
    private const string FinalSigma = """ "final_sigmas_type": "zero" """;
    private const string Range = """ "sigma_min": null, "sigma_max": null """;
    private const string Solver = """ "solver_order": 2, "algorithm_type": "dpmsolver++", "solver_type": "midpoint", "lower_order_final": true """;
    private const string HeunBetas = """ "beta_start": 0.00085, "beta_end": 0.012 """;
    private const string Edm = """ "sigma_min": 0.002, "sigma_max": 80.0, "sigma_data": 0.5, "sigma_schedule": "karras", "num_train_timesteps": 1000, "prediction_type": "epsilon", "rho": 7.0 """;
    private const string Consistency = """ "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "original_inference_steps": 50, "clip_sample": false, "clip_sample_range": 1.0, "set_alpha_to_one": true, "timestep_scaling": 10.0 """;

    // within a class, later parts override earlier ones
    private static readonly Dictionary<string, string[]> Parts = new(StringComparer.Ordinal)
    {
        ["DDPMScheduler"] = [Betas, Clip, Threshold, Leading, ZeroSnr, """ "variance_type": "fixed_small" """],
        ["DDIMScheduler"] = [Betas, Clip, Threshold, Leading, ZeroSnr, """ "set_alpha_to_one": true """],
        ["DDIMInverseScheduler"] = [Betas, Clip, Leading, ZeroSnr, """ "set_alpha_to_one": true """],
        ["PNDMScheduler"] = [Betas, Leading, """ "skip_prk_steps": false, "set_alpha_to_one": false """],
        ["LCMScheduler"] = [Betas, Threshold, Leading, ZeroSnr, Consistency],
        ["TCDScheduler"] = [Betas, Threshold, Leading, ZeroSnr, Consistency],
        ["EulerDiscreteScheduler"] = [Betas, Spacings, Range, Linspace, ZeroSnr, FinalSigma, """ "interpolation_type": "linear", "timestep_type": "discrete" """],
        ["EulerAncestralDiscreteScheduler"] = [Betas, Linspace, ZeroSnr],
        ["HeunDiscreteScheduler"] = [Betas, HeunBetas, Spacings, Linspace, """ "clip_sample": false, "clip_sample_range": 1.0 """],
        ["LMSDiscreteScheduler"] = [Betas, Spacings, Linspace],
        ["KDPM2DiscreteScheduler"] = [Betas, HeunBetas, Spacings, Linspace],
        ["KDPM2AncestralDiscreteScheduler"] = [Betas, HeunBetas, Spacings, Linspace],
        ["DPMSolverMultistepScheduler"] = [Betas, Threshold, Solver, Spacings, FlowSigmas, FinalSigma, Linspace, ZeroSnr, """ "euler_at_final": false, "use_lu_lambdas": false, "lambda_min_clipped": "-Infinity", "variance_type": null """],
        ["DPMSolverSinglestepScheduler"] = [Betas, Threshold, Solver, Spacings, FlowSigmas, FinalSigma, """ "lower_order_final": false, "lambda_min_clipped": "-Infinity", "variance_type": null """],
        ["DEISMultistepScheduler"] = [Betas, Threshold, Solver, Spacings, FlowSigmas, Linspace, """ "algorithm_type": "deis", "solver_type": "logrho" """],
        ["UniPCMultistepScheduler"] = [Betas, Threshold, Spacings, FlowSigmas, FinalSigma, Range, Linspace, ZeroSnr, """ "solver_order": 2, "predict_x0": true, "solver_type": "bh2", "lower_order_final": true, "disable_corrector": [], "solver_p": null, "shift_terminal": null """],
        ["EDMEulerScheduler"] = [Edm, FinalSigma],
        ["EDMDPMSolverMultistepScheduler"] = [Edm, Threshold, Solver, FinalSigma, """ "euler_at_final": false """],
        ["FlowMatchEulerDiscreteScheduler"] = [Spacings, """ "num_train_timesteps": 1000, "shift": 1.0, "use_dynamic_shifting": false, "base_shift": 0.5, "max_shift": 1.15, "base_image_seq_len": 256, "max_image_seq_len": 4096, "invert_sigmas": false, "shift_terminal": null, "time_shift_type": "exponential", "stochastic_sampling": false """],
        ["FlowMatchHeunDiscreteScheduler"] = [""" "num_train_timesteps": 1000, "shift": 1.0 """],
    };

    private static readonly ConcurrentDictionary<string, JsonObject> Merged = new(StringComparer.Ordinal);

    // older classes without a spacing of steps have no offset key either
    private static readonly Dictionary<string, string[]> Lacking = new(StringComparer.Ordinal) { ["DPMSolverSinglestepScheduler"] = ["steps_offset"] };

    public static IEnumerable<string> ClassNames => Parts.Keys;

    /// <exception cref="BrumaException">Bruma has no such class.</exception>
    public static JsonObject Of(string className) => Merged.GetOrAdd(className, name =>
    {
        if (!Parts.TryGetValue(name, out var parts))
            throw new BrumaException($"_class_name is {name}, which Bruma does not have; expected one of {string.Join(", ", ClassNames)}.");
        var keys = new JsonObject();
        foreach (var (key, value) in parts.SelectMany(part => JsonNode.Parse($"{{{part}}}")!.AsObject()))
            keys[key] = value?.DeepClone();
        foreach (var key in Lacking.GetValueOrDefault(name, []))
            keys.Remove(key);
        return keys;
    });

    /// <summary>Solver names of related classes stand for this class's own.</summary>
    public static JsonNode? Translated(string className, string key, JsonNode? value) => (key, className, value?.ToString()) switch
    {
        ("algorithm_type", "DEISMultistepScheduler", "dpmsolver" or "dpmsolver++") => "deis",
        ("algorithm_type", "DPMSolverMultistepScheduler" or "DPMSolverSinglestepScheduler" or "EDMDPMSolverMultistepScheduler", "deis") => "dpmsolver++",
        ("solver_type", "DEISMultistepScheduler", "midpoint" or "heun" or "bh1" or "bh2") => "logrho",
        ("solver_type", "UniPCMultistepScheduler", "midpoint" or "heun" or "logrho") => "bh2",
        ("solver_type", not "DEISMultistepScheduler" and not "UniPCMultistepScheduler", "logrho" or "bh1" or "bh2") => "midpoint",
        _ => value,
    };
}
