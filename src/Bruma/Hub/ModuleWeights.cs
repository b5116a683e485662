using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Hub;

/// <summary>Moves weights between modules and files. Loading is strict: every tensor of the module comes from the file and the other way round.</summary>
public static class ModuleWeights
{
    /// <summary>Fills parameters and buffers of the module, one tensor at a time, in the module's own types and on its devices.</summary>
    /// <exception cref="BrumaException">Names or shapes differ: one message lists all that is missing, unexpected or misshapen, and the module is unchanged.</exception>
    public static void Load(Module module, ITensorSource source, WeightOptions? options = null)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var targets = module.state_dict();
        var plan = new WeightPlan(targets, source, options ?? new WeightOptions());
        if (plan.Report() is { } report)
            throw new BrumaException($"{source.Origin}: does not fit {module.GetName()}: {report}.");
        foreach (var (target, stored) in plan.Sources)
        {
            using var values = source.Read(stored, targets[target].dtype);
            targets[target].copy_(values);
        }
    }

    /// <summary>The names that a checkpoint of the module has: those without the private fields that some modules keep beside them.</summary>
    internal static IEnumerable<string> Keys(Module module) => module.state_dict().Keys.Where(name => !name.StartsWith('_') && !name.Contains("._", StringComparison.Ordinal));

    /// <summary>Writes parameters and buffers as safetensors. Of tied tensors the first name is stored; the metadata maps the others to it.</summary>
    /// <param name="floats">The type in which floating-point values are stored; null for the module's own.</param>
    public static void Save(Module module, string path, ScalarType? floats = null, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var scope = NewDisposeScope();
        var notes = new Dictionary<string, string>(metadata ?? new Dictionary<string, string>(), StringComparer.Ordinal) { ["format"] = "pt" };
        var stored = new List<KeyValuePair<string, Tensor>>();
        foreach (var (name, tensor) in module.state_dict())
            if (stored.Find(other => WeightPlan.AreTied(other.Value, tensor)).Key is { } first)
                notes[name] = first;
            else
                stored.Add(new(name, tensor));
        SafetensorsFile.Write(path, stored, notes, floats);
    }
}
