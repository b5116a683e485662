using Bruma.Diffusion;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Kind <c>model</c>: a network of the case's own folder, its inputs, its outputs and the outputs of submodules (<c>tap.NAME</c>).</summary>
internal static class ModelKind
{
    private const string Tap = "tap.";

    public static void Run(GoldenCase golden, CaseReport report)
    {
        var name = golden.Spec.GetProperty("class").GetString()!;
        if (!ModelClasses.All.TryGetValue(name, out var load))
            throw new UnknownCaseException($"unknown class {name}");
        using var module = load(golden.PathOf(golden.Spec.GetProperty("folder").GetString()!), null);
        module.eval();
        using var noGradient = no_grad();

        var taps = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        Listen(module, [.. golden.Names(Tap).Select(tap => tap[Tap.Length..])], taps);
        var outputs = Call(module, golden);
        foreach (var (submodule, value) in taps)
            report.Compare(Tap + submodule, value);
        foreach (var (output, value) in outputs)
            report.Compare(output, value);
    }

    private static Dictionary<string, Tensor> Call(Module module, GoldenCase golden) => module switch
    {
        UNet2DModel network => new() { ["output"] = network.forward(golden.Tensor("sample"), golden.Tensor("timestep"), golden.Has("class_labels") ? golden.Tensor("class_labels") : null) },
        _ => throw new UnknownCaseException($"unknown class {module.GetType().Name}"),
    };

    /// <summary>Keeps the outputs of submodules in the order in which they are computed, so that the first deviation is where it begins.</summary>
    private static void Listen(Module module, HashSet<string> names, Dictionary<string, Tensor> taps)
    {
        foreach (var (name, submodule) in module.named_modules())
            if (names.Contains(name))
                Hook(submodule, value => taps[name] = value.clone().DetachFromDisposeScope());
    }

    private static void Hook(Module submodule, Action<Tensor> keep)
    {
        switch (submodule)
        {
            case Module<Tensor, Tensor> unary:
                unary.register_forward_hook((_, _, output) => Kept(output, output));
                break;
            case Module<Tensor, Tensor, Tensor> binary:
                binary.register_forward_hook((_, _, _, output) => Kept(output, output));
                break;
            case Module<Tensor, Tensor, (Tensor, IReadOnlyList<Tensor>)> down:
                down.register_forward_hook((_, _, _, output) => Kept(output, output.Item1));
                break;
            case Module<Tensor, Stack<Tensor>, Tensor, Tensor> up:
                up.register_forward_hook((_, _, _, _, output) => Kept(output, output));
                break;
            default:
                throw new UnknownCaseException($"no tap for {submodule.GetType().Name}");
        }

        T Kept<T>(T output, Tensor first)
        {
            keep(first);
            return output;
        }
    }
}
