using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision;

/// <summary><c>config.json</c> of a <see cref="SmallClassifier"/>.</summary>
/// <param name="Channels">1 for gray, 3 for colour.</param>
/// <param name="NumLabels">Classes K.</param>
/// <param name="ImageSize">Height and width that it was trained at.</param>
/// <param name="ClassNames">In the order of their indices.</param>
/// <param name="FeatureName">What distances in its features are called after <c>FD-</c>.</param>
public sealed record SmallClassifierConfig(int Channels, int NumLabels, int ImageSize, IReadOnlyList<string>? ClassNames = null, string? FeatureName = null) : ICheckedConfig
{
    public const string ModelType = "small-classifier";

    public void Check(ConfigCheck check)
    {
        check.OneOf("channels", Channels, 1, 3);
        check.Require(NumLabels > 0, "num_labels", NumLabels, "a number above 0");
        check.Require(ImageSize >= 8, "image_size", ImageSize, "at least 8");
    }
}

/// <summary>A convolutional classifier for images of 28 to 64 px that trains in about a minute on a CPU: the judge of class-conditional samples.</summary>
/// <remarks>Five 3x3 convolutions with batch norm and ReLU (widths 32, 64/2, 96, 128/2, 128), mean over positions (128 features), dropout, linear: 0.33 M parameters.</remarks>
public sealed class SmallClassifier : Module<Tensor, Tensor>
{
    /// <summary>Width of <see cref="Features"/>.</summary>
    public const int FeatureWidth = 128;

    private static readonly System.Text.Json.JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly (int Width, int Stride)[] Layers = [(32, 1), (64, 2), (96, 1), (128, 2), (FeatureWidth, 1)];

    private readonly Sequential features;
    private readonly SeededDropout dropout;
    private readonly Linear head;

    /// <param name="channels">1 for gray, 3 for colour.</param>
    /// <param name="classes">Number of classes K.</param>
    public SmallClassifier(int channels, int classes) : base(nameof(SmallClassifier))
    {
        var modules = new List<Module<Tensor, Tensor>>();
        var previous = channels;
        foreach (var (width, stride) in Layers)
        {
            modules.AddRange([Conv2d(previous, width, 3, stride: stride, padding: 1, bias: false), BatchNorm2d(width), ReLU()]);
            previous = width;
        }
        features = Sequential(modules);
        dropout = new SeededDropout(0.2);
        head = Linear(FeatureWidth, classes);
        RegisterComponents();
    }

    /// <summary>Reads a folder that <see cref="Save"/> wrote; the result is in evaluation mode, fp32.</summary>
    public static (SmallClassifier Network, SmallClassifierConfig Config) Load(string folder)
    {
        var config = ConfigFile.Read(Path.Combine(folder, "config.json"), VisionConfigs.Default.SmallClassifierConfig, ConfigKind.Model);
        var network = new SmallClassifier(config.Channels, config.NumLabels);
        using var weights = ModelFolder.Open(folder);
        ModuleWeights.Load(network, weights);
        network.eval();
        return (network, config);
    }

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c>: convolutions and the head as fp16, norms as fp32.</summary>
    public void Save(string folder, SmallClassifierConfig config)
    {
        using var scope = NewDisposeScope();
        var weights = state_dict().Select(pair => KeyValuePair.Create(pair.Key, pair.Value.dim() >= 2 ? pair.Value.to(float16) : pair.Value));
        SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), weights, new Dictionary<string, string> { ["format"] = "pt" });
        var json = System.Text.Json.JsonSerializer.SerializeToNode(config, VisionConfigs.Default.SmallClassifierConfig)!.AsObject();
        json.Insert(0, "model_type", SmallClassifierConfig.ModelType);
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), json.ToJsonString(Indented) + "\n");
    }

    /// <param name="images">[B, C, H, W] in [-1, 1].</param>
    /// <returns>Logits, [B, K].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Classify(Features(images)).MoveToOuterDisposeScope();
    }

    /// <param name="vectors">What <see cref="Features"/> gave, [B, 128].</param>
    /// <returns>Logits, [B, K].</returns>
    public Tensor Classify(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        return head.call(dropout.call(vectors)).MoveToOuterDisposeScope();
    }

    /// <summary>The vector before the head: what distances between sets of images are measured in.</summary>
    /// <param name="images">[B, C, H, W] in [-1, 1].</param>
    /// <returns>[B, 128].</returns>
    public Tensor Features(Tensor images)
    {
        using var scope = NewDisposeScope();
        return features.call(images).mean([2L, 3L]).MoveToOuterDisposeScope();
    }

    /// <summary>Weights from the generator alone, so that the judge is the same for the same seed.</summary>
    public void Initialize(Generator generator)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        foreach (var parameter in parameters().Where(parameter => parameter.dim() >= 2))
        {
            var fanIn = parameter.numel() / parameter.shape[0];
            parameter.copy_(randn(parameter.shape, generator: generator) * Math.Sqrt(2.0 / fanIn));
        }
        head.bias!.zero_();
    }
}
