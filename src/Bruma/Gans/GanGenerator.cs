using Bruma.Hub;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>Noise, and with classes the class's embedding behind it, to pictures.</summary>
public sealed class GanGenerator : Module<Tensor, Tensor?, Tensor>
{
    private readonly Sequential layers;
    private readonly Embedding? embed;

    public GanGenerator(GeneratorConfig config) : base(nameof(GanGenerator))
    {
        Config = config;
        layers = LayerList.Build(config.Layers);
        embed = config.Classes == 0 ? null : Embedding(config.Classes, config.ClassWidth);
        RegisterComponents();
    }

    public GeneratorConfig Config { get; }

    /// <summary>Whether its output depends on the batch in training mode.</summary>
    public bool HasBatchNorm => modules().OfType<BatchNorm2d>().Any();

    /// <param name="latents">Noise, [B, Z], unit variance.</param>
    /// <param name="classes">int64 [B]; null exactly without classes.</param>
    /// <returns>[B, C, H, W] in [-1, 1].</returns>
    public override Tensor forward(Tensor latents, Tensor? classes)
    {
        using var scope = NewDisposeScope();
        var input = embed is null ? latents : cat([latents, embed.call(classes!)], 1);
        return layers.call(input).MoveToOuterDisposeScope();
    }

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="weights">By key; null takes the network's own.</param>
    public void Save(string folder, IEnumerable<KeyValuePair<string, Tensor>>? weights = null)
    {
        Directory.CreateDirectory(folder);
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), weights ?? state_dict());
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), System.Text.Json.JsonSerializer.Serialize(Config, GanConfigsJson.Default.GeneratorConfig) + "\n");
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public static GanGenerator Load(string folder)
    {
        var config = ConfigFile.Read(Path.Combine(folder, "config.json"), GanConfigsJson.Default.GeneratorConfig, ConfigKind.Model);
        var network = new GanGenerator(config);
        using var source = ModelFolder.Open(folder);
        ModuleWeights.Load(network, source);
        network.eval();
        return network;
    }
}
