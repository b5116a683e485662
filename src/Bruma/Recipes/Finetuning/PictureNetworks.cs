using System.Text.Json;
using System.Text.Json.Nodes;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Nn;
using Bruma.Transformers;
using Bruma.Vision;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Finetuning;

/// <summary>A network that makes a vector of a picture and classes of the vector.</summary>
internal interface IPictureNetwork : IDisposable
{
    Module Module { get; }

    int Layers { get; }

    Linear Classifier { get; }

    IReadOnlyList<string> LoraTargets { get; }

    /// <param name="picture">uint8 [1 or 3, H, W].</param>
    /// <returns>uint8 [3, S, S].</returns>
    Tensor Crop(Tensor picture);

    /// <param name="pixels">uint8 [B, 3, S, S].</param>
    /// <returns>fp32, as the network takes them.</returns>
    Tensor Normalize(Tensor pixels);

    Tensor Features(Tensor images);

    Tensor Classify(Tensor features);

    void Save(string folder, string baseFolder, IReadOnlyList<string> labels);
}

/// <summary>Loads the networks of pictures.</summary>
internal static class PictureNetworks
{
    private const string ViT = "vit";

    /// <param name="classes">A new head for as many classes; null keeps the network's own.</param>
    public static IPictureNetwork Load(string folder, int? classes)
    {
        using var config = PythonJson.ParseFile(Path.Combine(folder, "config.json"));
        var type = config.RootElement.TryGetProperty("model_type", out var name) ? name.GetString() : null;
        return type == ViT ? new VisionTransformer(folder, classes) : new EfficientNet(folder, classes);
    }

    private sealed class EfficientNet : IPictureNetwork
    {
        private readonly EfficientNetLite0 _network;

        public EfficientNet(string folder, int? classes)
        {
            _network = EfficientNetLite0.Load(folder);
            if (classes is not { } count)
                return;
            using var before = _network;
            using var random = HashedSeed.At(0);
            _network = before.WithHead(count, random);
        }

        public Module Module => _network;

        public void Dispose() => _network.Dispose();

        public int Layers => _network.Config.Stages.Sum(stage => stage.Repeats) + 1;

        public Linear Classifier => (Linear)_network.named_children().First(child => child.name == "_fc").module;

        public IReadOnlyList<string> LoraTargets => ["_expand_conv", "_project_conv", "_conv_head"];

        public Tensor Crop(Tensor picture)
        {
            using var scope = NewDisposeScope();
            var normal = _network.Prepare(picture);
            return (normal * _network.Config.ImageStd + _network.Config.ImageMean).round().clamp(0, 255).to(uint8).MoveToOuterDisposeScope();
        }

        public Tensor Normalize(Tensor pixels) => _network.Normalize(pixels);

        public Tensor Features(Tensor images) => _network.Features(images);

        public Tensor Classify(Tensor features) => _network.Classify(features);

        public void Save(string folder, string baseFolder, IReadOnlyList<string> labels) =>
            Write(folder, baseFolder, Module, config => config["num_labels"] = labels.Count);
    }

    private sealed class VisionTransformer : IPictureNetwork
    {
        private readonly ViTForImageClassification _network;
        private readonly ImageProcessor _processor;

        public VisionTransformer(string folder, int? classes)
        {
            var config = ViTModel.ReadConfig(folder);
            if (classes is { } count)
            {
                _network = new ViTForImageClassification(config with { Id2label = null, NumLabels = count });
                using var source = ModelFolder.Open(folder);
                ModuleWeights.Load(_network.Encoder, source, BaseWeights.Of("vit.", "classifier.", "pooler."));
                _network.eval();
            }
            else
                _network = ViTForImageClassification.Load(folder);
            var path = Path.Combine(folder, "preprocessor_config.json");
            var size = config.ImageSize;
            var standard = new ImageProcessor(Size: new ProcessorSize(Height: size, Width: size), ImageMean: [0.5, 0.5, 0.5], ImageStd: [0.5, 0.5, 0.5]);
            if (!File.Exists(path))
            {
                _processor = standard;
                return;
            }
            using var json = PythonJson.ParseFile(path);
            _processor = ImageProcessor.Read(path, json.RootElement);
        }

        public Module Module => _network;

        public void Dispose() => _network.Dispose();

        public int Layers => _network.Config.NumHiddenLayers;

        public Linear Classifier => _network.Classifier;

        public IReadOnlyList<string> LoraTargets => ["query", "value"];

        public Tensor Crop(Tensor picture)
        {
            using var scope = NewDisposeScope();
            return (_processor with { DoRescale = false, DoNormalize = false }).Apply(picture).round().clamp(0, 255).to(uint8).MoveToOuterDisposeScope();
        }

        public Tensor Normalize(Tensor pixels)
        {
            using var scope = NewDisposeScope();
            return stack([.. pixels.unbind().Select((_processor with { DoResize = false, DoCenterCrop = false }).Apply)]).MoveToOuterDisposeScope();
        }

        public Tensor Features(Tensor images) => _network.Features(images);

        public Tensor Classify(Tensor features) => _network.Classifier.call(features);

        public void Save(string folder, string baseFolder, IReadOnlyList<string> labels) => Write(folder, baseFolder, Module, config =>
        {
            config.Remove("num_labels");
            config["architectures"] = new JsonArray(nameof(ViTForImageClassification));
            config["id2label"] = new JsonObject(labels.Select((label, i) => KeyValuePair.Create($"{i}", (JsonNode?)label)));
            config["label2id"] = new JsonObject(labels.Select((label, i) => KeyValuePair.Create(label, (JsonNode?)i)));
        });
    }

    private static void Write(string folder, string baseFolder, Module network, Action<JsonObject> change)
    {
        Directory.CreateDirectory(folder);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(baseFolder, "config.json")))!.AsObject();
        change(config);
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), config.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
        var processor = Path.Combine(baseFolder, "preprocessor_config.json");
        if (File.Exists(processor))
            File.WriteAllBytes(Path.Combine(folder, "preprocessor_config.json"), File.ReadAllBytes(processor));
        ModuleWeights.Save(network, Path.Combine(folder, "model.safetensors"));
    }
}
