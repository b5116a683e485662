namespace Bruma.Diffusion.Schedulers;

/// <summary>Schedulers by the names that users of diffusers, A1111 and stable-diffusion.cpp type.</summary>
public static class SchedulerNames
{
    private static readonly (string Class, string[] Names)[] Known =
    [
        ("DDPMScheduler", ["ddpm"]),
        ("DDIMScheduler", ["ddim", "ddim_trailing"]),
        ("EulerDiscreteScheduler", ["euler", "k_euler"]),
        ("HeunDiscreteScheduler", ["heun", "k_heun"]),
        ("FlowMatchEulerDiscreteScheduler", ["flow_euler"]),
        ("FlowMatchHeunDiscreteScheduler", ["flow_heun"]),
    ];

    /// <summary>The configuration of the named algorithm for a model that comes with the given one.</summary>
    /// <exception cref="BrumaException">No such name.</exception>
    public static SchedulerConfig Find(string name, SchedulerConfig model)
    {
        var plain = name.Replace(' ', '_').Replace('-', '_');
        var found = Known.FirstOrDefault(known => known.Class.Equals(name, StringComparison.OrdinalIgnoreCase) || known.Names.Contains(plain, StringComparer.OrdinalIgnoreCase)).Class
            ?? throw new BrumaException($"--scheduler {name}: no such scheduler; known are {string.Join(", ", Known.Select(known => known.Names[0]))}.");
        var flow = model.ClassName.StartsWith("FlowMatch", StringComparison.Ordinal);
        if (flow && !found.StartsWith("FlowMatch", StringComparison.Ordinal))
            found = found switch
            {
                "EulerDiscreteScheduler" => "FlowMatchEulerDiscreteScheduler",
                "HeunDiscreteScheduler" => "FlowMatchHeunDiscreteScheduler",
                _ => throw new BrumaException($"--scheduler {name}: the model predicts flow, which euler and heun can follow; choose one of these."),
            };
        return flow || !found.StartsWith("FlowMatch", StringComparison.Ordinal) ? model.As(found) : throw new BrumaException($"--scheduler {name}: the model does not predict flow; choose ddim, ddpm, euler or heun.");
    }
}
