using Bruma.Hub;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>A transformer's folder: <c>config.json</c> and <c>model.safetensors</c>.</summary>
internal static class TransformerFiles
{
    /// <summary>Fills a network from the weights beside its config.</summary>
    public static T Load<T>(T network, string folder, string? variant, WeightOptions? options = null)
        where T : Module
    {
        using var weights = ModelFolder.Open(folder, variant);
        ModuleWeights.Load(network, weights, options);
        network.eval();
        return network;
    }
}
