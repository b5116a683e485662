using Bruma.Nn;
using Bruma.Recipes.Speed;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Benchmarks;

/// <summary>How the time of a step divides: every convolution, linear layer, norm and attention product of the network alone, forward and backward, on inputs of its own shape.</summary>
internal static class OperatorShares
{
    /// <returns>Seconds of a step by kind of operator.</returns>
    public static Dictionary<string, double> Measure(Module network, Action step, double secondsEach)
    {
        var calls = new Dictionary<(Module, string), (string Kind, Tensor Input)>();
        foreach (var (name, module) in network.named_modules())
            Listen(name, module, calls);
        step();

        var seconds = new Dictionary<string, double>();
        foreach (var group in calls.GroupBy(call => (call.Value.Kind, Shape: Describe(call.Key.Item1, call.Value.Input))))
        {
            var ((module, _), (kind, input)) = (group.First().Key, group.First().Value);
            var time = Timing.Median(() => ForwardAndBackward(module, input), secondsEach) * group.Count();
            seconds[kind] = seconds.GetValueOrDefault(kind) + time;
        }
        foreach (var call in calls.Values)
            call.Input.Dispose();
        return seconds;
    }

    private static void Listen(string name, Module module, Dictionary<(Module, string), (string, Tensor)> calls)
    {
        var kind = module switch { TorchSharp.Modules.Conv2d => "convolution", TorchSharp.Modules.Linear => "linear", ActivatedGroupNorm => "norm + activation", SpatialAttention => "attention", _ => null };
        if (kind is null || name.Contains("attentions.", StringComparison.Ordinal) && kind != "attention")
            return;
        if (module is ActivatedGroupNorm norm)
            norm.register_forward_pre_hook((_, x, shift) => (Keep(x), shift));
        else
            ((Module<Tensor, Tensor>)module).register_forward_pre_hook((_, x) => Keep(x));

        Tensor Keep(Tensor x)
        {
            calls[(module, name)] = (kind, x.detach().clone().DetachFromDisposeScope());
            return x;
        }
    }

    private static void ForwardAndBackward(Module module, Tensor input)
    {
        var x = input.detach().requires_grad_(true);
        var y = module is ActivatedGroupNorm norm ? norm.call(x, null) : ((Module<Tensor, Tensor>)module).call(x);
        y.backward([ones_like(y)]);
    }

    private static string Describe(Module module, Tensor input) =>
        $"{string.Join("x", input.shape)} -> {string.Join(", ", module.named_parameters().Select(parameter => string.Join("x", parameter.parameter.shape)))}";
}
