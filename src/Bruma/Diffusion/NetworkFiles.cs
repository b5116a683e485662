using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>A network's folder: <c>config.json</c> and <c>diffusion_pytorch_model.safetensors</c>.</summary>
internal static class NetworkFiles
{
    /// <summary>The version of diffusers whose config keys are written.</summary>
    public const string FormatVersion = "0.39.0";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Fills a network from the weights beside its config.</summary>
    public static T Load<T>(T network, string folder, string? variant, WeightOptions? options = null)
        where T : Module
    {
        using var weights = ModelFolder.Open(folder, variant);
        ModuleWeights.Load(network, weights, options);
        network.eval();
        return network;
    }

    /// <summary>The same for a network that is made without memory: each weight is read once, into the type to compute in.</summary>
    public static T Load<T>(Func<Device, T> create, string folder, string? variant, ScalarType dtype, WeightOptions? options = null)
        where T : Module
    {
        using var weights = ModelFolder.Open(folder, variant);
        return DirectLoading.Load(create, weights, dtype, options);
    }

    /// <summary>Writes the weights and, as diffusers does, the config's keys in alphabetical order below the class.</summary>
    /// <param name="weights">Weights by key, in the type to store; null takes the network's own.</param>
    public static void Save<T>(string folder, (Module Network, T Config) what, JsonTypeInfo<T> type, IEnumerable<KeyValuePair<string, Tensor>>? weights)
    {
        SafetensorsFile.Write(Path.Combine(folder, "diffusion_pytorch_model.safetensors"), weights ?? what.Network.state_dict(), new Dictionary<string, string> { ["format"] = "pt" });
        SaveConfig(folder, what.Network.GetName(), what.Config, type);
    }

    /// <summary>Writes a config alone.</summary>
    public static void SaveConfig<T>(string folder, string className, T config, JsonTypeInfo<T> type)
    {
        var keys = JsonSerializer.SerializeToNode(config, type)!.AsObject();
        var written = new JsonObject { ["_class_name"] = className, ["_diffusers_version"] = FormatVersion };
        foreach (var (key, value) in keys.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            written[key] = value?.DeepClone();
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), written.ToJsonString(Indented) + "\n");
    }
}
