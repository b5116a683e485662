namespace Bruma.Diffusion.Schedulers;

/// <summary>Which algorithms a model can take: one that predicts the velocity of straight paths needs a solver that walks on them.</summary>
internal static class FlowModels
{
    private const string Euler = "FlowMatchEulerDiscreteScheduler";
    private const string Heun = "FlowMatchHeunDiscreteScheduler";

    public static bool Is(SchedulerConfig model) => model.ClassName is Euler or Heun || model.UseFlowSigmas || model.PredictionType == PredictionType.Flow;

    /// <summary>The class for the model, the model's shift of times included.</summary>
    /// <param name="name">What the user typed, for messages.</param>
    /// <exception cref="BrumaException">The model cannot take the algorithm.</exception>
    public static SchedulerConfig Fit(SchedulerConfig model, string className, string name)
    {
        if (!Is(model))
            return className is not (Euler or Heun) ? model.As(className)
                : throw new BrumaException($"scheduler '{name}': the model does not predict flow; choose ddim, euler, dpm++2m or another algorithm for noise.");

        var target = className switch { "EulerDiscreteScheduler" => Euler, "HeunDiscreteScheduler" => Heun, _ => className };
        var shift = model.ClassName is Euler or Heun ? model.Shift : model.FlowShift;
        var fitted = model.As(target);
        if (target is Euler or Heun)
            return fitted with { Shift = shift };
        return fitted.Knows("use_flow_sigmas") ? fitted with { UseFlowSigmas = true, PredictionType = PredictionType.Flow, FlowShift = shift }
            : throw new BrumaException($"scheduler '{name}': the model predicts flow, which it cannot follow; choose euler, heun, dpm++2m, dpm++2s, deis or unipc.");
    }
}
