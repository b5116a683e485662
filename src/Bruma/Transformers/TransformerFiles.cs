using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>A transformer's folder: <c>config.json</c> and <c>model.safetensors</c>.</summary>
internal static class TransformerFiles
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>A network that is made without memory: each weight is read once, into the type to compute in.</summary>
    public static T Load<T>(Func<Device, T> create, string folder, string? variant, ScalarType dtype, WeightOptions? options = null)
        where T : Module
    {
        using var weights = ModelFolder.Open(folder, variant);
        return DirectLoading.Load(create, weights, dtype, options);
    }

    /// <summary>Writes a config as transformers does, keys in alphabetical order.</summary>
    public static void SaveConfig<T>(string folder, string className, string? modelType, T config, JsonTypeInfo<T> type, params ReadOnlySpan<(string Key, JsonNode Value)> further)
    {
        var keys = JsonSerializer.SerializeToNode(config, type)!.AsObject();
        keys["architectures"] = new JsonArray(className);
        if (modelType is not null)
            keys["model_type"] = modelType;
        foreach (var (key, value) in further)
            keys[key] = value;
        var written = new JsonObject(keys.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), written.ToJsonString(Indented) + "\n");
    }

    /// <summary>Fills a network from the weights beside its config.</summary>
    public static T Load<T>(T network, string folder, string? variant, WeightOptions? options = null)
        where T : Module
        => Load(_ => network, folder, variant, options);

    /// <summary>The same for a network whose parts depend on what the checkpoint holds.</summary>
    public static T Load<T>(Func<ITensorSource, T> create, string folder, string? variant, WeightOptions? options = null)
        where T : Module
    {
        using var weights = ModelFolder.Open(folder, variant);
        var network = create(weights);
        ModuleWeights.Load(network, weights, options);
        network.eval();
        return network;
    }

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="architecture">The class that the folder is loaded as.</param>
    /// <param name="further">Keys that the config record does not have.</param>
    public static void Save<TConfig>(Module network, string folder, TConfig config, JsonTypeInfo<TConfig> type, string architecture, params ReadOnlySpan<(string Key, JsonNode Value)> further)
    {
        Directory.CreateDirectory(folder);
        SaveConfig(folder, architecture, null, config, type, further);
        ModuleWeights.Save(network, Path.Combine(folder, "model.safetensors"));
    }
}
