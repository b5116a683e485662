using System.Reflection;
using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Module = TorchSharp.torch.nn.Module;

namespace Bruma.Hub;

/// <summary>Loads a network whose parameters are not in memory yet: each is read once, straight into the type it is computed in.</summary>
public static class DirectLoading
{
    private static readonly Device Nowhere = new(TorchSharp.DeviceType.META);

    /// <param name="create">Makes the network on the given device, which takes no memory.</param>
    /// <param name="dtype">The type of all floating-point weights.</param>
    /// <exception cref="BrumaException">Names or shapes differ: one message lists all that is missing, unexpected or misshapen.</exception>
    public static T Load<T>(Func<Device, T> create, ITensorSource source, ScalarType dtype = ScalarType.Float32, WeightOptions? options = null)
        where T : Module
    {
        var network = create(Nowhere);
        try
        {
            Fill(network, source, dtype, options);
            network.eval();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static void Fill(Module network, ITensorSource source, ScalarType dtype, WeightOptions? options)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var plan = new WeightPlan(network.state_dict(), source, options ?? new WeightOptions());
        if (plan.Report() is { } report)
            throw new BrumaException($"{source.Origin}: does not fit {network.GetName()}: {report}.");
        if (network.buffers().Any(buffer => buffer.device.type == TorchSharp.DeviceType.META))
            throw new InvalidOperationException($"{network.GetName()} has buffers, which are not loaded this way");
        foreach (var (prefix, module) in network.named_modules().Prepend(("", network)).ToList())
            foreach (var (name, placeholder) in module.named_parameters(false).ToList())
            {
                if (!plan.Sources.TryGetValue(prefix.Length == 0 ? name : $"{prefix}.{name}", out var stored) || placeholder.device.type != TorchSharp.DeviceType.META)
                    continue; // another name of a module that is listed twice
                var values = source.Read(stored, placeholder.is_floating_point() ? dtype : null);
                Replace(module, name, placeholder, new Parameter(values.DetachFromDisposeScope(), placeholder.requires_grad));
            }
        if (network.parameters().Any(parameter => parameter.device.type == TorchSharp.DeviceType.META))
            throw new InvalidOperationException($"{network.GetName()} has parameters that were not reached");
    }

    /// <summary>Puts a parameter where the placeholder was: through the module's property where it has one, else into its field.</summary>
    private static void Replace(Module module, string name, Parameter placeholder, Parameter value)
    {
        if (module.GetType().GetProperty(name) is { CanWrite: true } property)
            property.SetValue(module, value);
        else
        {
            var fields = module.GetType().GetFields(BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.Instance);
            (Array.Find(fields, field => ReferenceEquals(field.GetValue(module), placeholder)) ?? throw new InvalidOperationException($"{module.GetName()} keeps {name} in no field")).SetValue(module, value);
            Register(module, name, value);
        }
        placeholder.Dispose();
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "ConditionallyRegisterParameter")]
    private static extern void Register(Module module, string name, Parameter value);
}
