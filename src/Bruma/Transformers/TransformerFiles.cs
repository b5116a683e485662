using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Bruma.Hub;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>A transformer's folder: <c>config.json</c> and <c>model.safetensors</c>.</summary>
internal static class TransformerFiles
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

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
    public static void Save<TConfig>(Module network, string folder, TConfig config, JsonTypeInfo<TConfig> type, string architecture, string? modelType = null)
    {
        Directory.CreateDirectory(folder);
        var json = JsonSerializer.SerializeToNode(config, type)!.AsObject();
        json["architectures"] = new JsonArray(architecture);
        if (modelType is not null)
            json["model_type"] = modelType;
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), json.ToJsonString(Indented) + "\n");
        ModuleWeights.Save(network, Path.Combine(folder, "model.safetensors"));
    }
}
