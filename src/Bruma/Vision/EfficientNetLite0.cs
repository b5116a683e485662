using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision;

/// <summary>EfficientNet-lite0, an ImageNet classifier of 4.65 M parameters: features for measures, base for transfer learning.</summary>
/// <remarks>Tan and Le 2019, arXiv:1905.11946, in the variant for small devices: ReLU6, no squeeze and excitation. Checkpoint keys of the PyTorch conversion.</remarks>
public sealed class EfficientNetLite0 : Module<Tensor, Tensor>
{
    /// <summary>The folder below <c>models/</c> that comes with Bruma.</summary>
    public const string ModelName = "efficientnet-lite0";

    private const double Momentum = 0.01; // torch's sense: the share of the new batch
    private const double DropoutProbability = 0.2;
    private const int CropMargin = 32;

    private readonly SameConv2d _conv_stem;
    private readonly BatchNorm2d _bn0;
    private readonly ModuleList<EfficientNetBlock> _blocks = ModuleList<EfficientNetBlock>();
    private readonly SameConv2d _conv_head;
    private readonly BatchNorm2d _bn1;
    private readonly SeededDropout _dropout;
    private readonly Linear _fc;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public EfficientNetLite0(EfficientNetLite0Config config) : base(nameof(EfficientNetLite0))
    {
        config.Check(new ConfigCheck(nameof(EfficientNetLite0)));
        Config = config;
        _conv_stem = new SameConv2d(3, config.StemChannels, 3, stride: 2);
        _bn0 = Norm(config.StemChannels, config.BatchNormEps);
        var width = config.StemChannels;
        foreach (var stage in config.Stages)
            for (var i = 0; i < stage.Repeats; i++)
            {
                _blocks.Add(new EfficientNetBlock(width, i == 0 ? stage : stage with { Stride = 1 }, config.BatchNormEps));
                width = stage.Channels;
            }
        _conv_head = new SameConv2d(width, config.HeadChannels, 1);
        _bn1 = Norm(config.HeadChannels, config.BatchNormEps);
        _dropout = new SeededDropout(DropoutProbability);
        _fc = Linear(config.HeadChannels, config.NumLabels);
        RegisterComponents();
    }

    public EfficientNetLite0Config Config { get; }

    /// <summary>Reads a folder with <c>config.json</c> and weights; the result is in evaluation mode, fp32.</summary>
    public static EfficientNetLite0 Load(string folder, string? variant = null)
    {
        var network = new EfficientNetLite0(ConfigFile.Read(Path.Combine(folder, "config.json"), VisionConfigs.Default.EfficientNetLite0Config, ConfigKind.Model));
        using var weights = ModelFolder.Open(folder, variant);
        ModuleWeights.Load(network, weights);
        network.eval();
        return network;
    }

    /// <summary>The same network, weights copied, with a new head for other classes.</summary>
    /// <param name="classes">Number of classes K.</param>
    /// <param name="generator">Draws the new head's weights; its biases are 0.</param>
    public EfficientNetLite0 WithHead(int classes, Generator generator)
    {
        var other = new EfficientNetLite0(Config with { NumLabels = classes }); // before the scope, which would end its weights
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var target = other.state_dict();
        foreach (var (key, value) in state_dict())
            if (!key.StartsWith("_fc.", StringComparison.Ordinal))
                target[key].copy_(value);
        other._fc.weight.copy_(randn(other._fc.weight.shape, generator: generator) / Math.Sqrt(Config.HeadChannels));
        other._fc.bias!.zero_();
        return other;
    }

    /// <param name="images">[B, 3, H, W], grey levels less <see cref="EfficientNetLite0Config.ImageMean"/> over <see cref="EfficientNetLite0Config.ImageStd"/>: what <see cref="Prepare"/> gives.</param>
    /// <returns>Logits, [B, K].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Classify(Features(images)).MoveToOuterDisposeScope();
    }

    /// <summary>The pooled vector before dropout and head.</summary>
    /// <param name="images">[B, 3, H, W], as for <see cref="forward"/>.</param>
    /// <returns>[B, 1280].</returns>
    public Tensor Features(Tensor images)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu6(_bn0.call(_conv_stem.call(ChannelsLast.Of(images))), inplace: true);
        foreach (var block in _blocks)
            x = block.call(x);
        return functional.relu6(_bn1.call(_conv_head.call(x))).mean([2L, 3L]).MoveToOuterDisposeScope();
    }

    /// <param name="features">[B, 1280].</param>
    /// <returns>Logits, [B, K].</returns>
    public Tensor Classify(Tensor features)
    {
        using var scope = NewDisposeScope();
        return _fc.call(_dropout.call(features)).MoveToOuterDisposeScope();
    }

    /// <summary>The published preprocessing: short side to 256 bicubic, centre crop 224, normalised.</summary>
    /// <param name="picture">uint8 [1 or 3, H, W].</param>
    /// <returns>fp32 [3, 224, 224].</returns>
    public Tensor Prepare(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var size = Config.ImageSize;
        var scale = (double)(size + CropMargin) / Math.Min(picture.shape[1], picture.shape[2]);
        var (height, width) = ((int)Math.Round(picture.shape[1] * scale), (int)Math.Round(picture.shape[2] * scale));
        var resized = Resampling.Resize(picture, width, height, ResampleFilter.Bicubic);
        return Normalize(resized.narrow(1, (height - size) / 2, size).narrow(2, (width - size) / 2, size)).MoveToOuterDisposeScope();
    }

    /// <summary>Grey levels as the network takes them.</summary>
    /// <param name="pixels">uint8 [..., 1 or 3, H, W]; gray becomes three equal channels.</param>
    /// <returns>fp32 [..., 3, H, W].</returns>
    public Tensor Normalize(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var shape = pixels.shape;
        shape[^3] = 3;
        return ((pixels.expand(shape).to(float32) - Config.ImageMean) / Config.ImageStd).contiguous().MoveToOuterDisposeScope();
    }

    internal static BatchNorm2d Norm(int channels, double eps) => BatchNorm2d(channels, eps, Momentum);
}
