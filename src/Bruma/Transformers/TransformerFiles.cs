using Bruma.Hub;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>A transformer's folder: <c>config.json</c> and <c>model.safetensors</c>.</summary>
internal static class TransformerFiles
{
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
}
