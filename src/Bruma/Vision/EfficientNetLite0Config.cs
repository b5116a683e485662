using System.Text.Json.Serialization;
using Bruma.Hub;

namespace Bruma.Vision;

/// <summary>A row of blocks of equal width; the first has the stride.</summary>
public sealed record EfficientNetStage(int Repeats, int Kernel, int Stride, int Expand, int Channels);

/// <summary><c>config.json</c> of an EfficientNet-lite checkpoint.</summary>
/// <param name="ImageSize">Height and width that the network was trained at.</param>
/// <param name="NumLabels">Classes K.</param>
/// <param name="FeatureDim">Width of the pooled features; equal to <paramref name="HeadChannels"/>.</param>
/// <param name="ImageMean">Subtracted from grey levels 0 to 255.</param>
/// <param name="ImageStd">Divides them after that.</param>
public sealed record EfficientNetLite0Config(
    int ImageSize = 224,
    int NumLabels = 1000,
    int FeatureDim = 1280,
    double BatchNormEps = 1e-3,
    double ImageMean = 127,
    double ImageStd = 128,
    int StemChannels = 32,
    int HeadChannels = 1280,
    string Activation = "relu6",
    string Padding = "same",
    IReadOnlyList<EfficientNetStage>? Blocks = null) : ICheckedConfig
{
    /// <summary>The published network's stages.</summary>
    public static IReadOnlyList<EfficientNetStage> Lite0 { get; } =
        [new(1, 3, 1, 1, 16), new(2, 3, 2, 6, 24), new(2, 5, 2, 6, 40), new(3, 3, 2, 6, 80), new(3, 5, 1, 6, 112), new(4, 5, 2, 6, 192), new(1, 3, 1, 6, 320)];

    public IReadOnlyList<EfficientNetStage> Stages => Blocks ?? Lite0;

    public void Check(ConfigCheck check)
    {
        check.OneOf("activation", Activation, "relu6");
        check.OneOf("padding", Padding, "same");
        check.Require(FeatureDim == HeadChannels, "feature_dim", FeatureDim, $"\"head_channels\", {HeadChannels}");
        check.Require(NumLabels > 0, "num_labels", NumLabels, "a number above 0");
        check.Require(ImageSize >= 32, "image_size", ImageSize, "at least 32");
        check.Require(ImageStd > 0, "image_std", ImageStd, "a number above 0");
        check.Require(Stages.Count > 0 && Stages.All(stage => stage is { Repeats: > 0, Kernel: > 0, Stride: > 0, Expand: > 0, Channels: > 0 }), "blocks", Stages.Count, "stages of positive numbers");
    }
}

/// <summary>JSON of this family's networks.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(EfficientNetLite0Config))]
[JsonSerializable(typeof(SmallClassifierConfig))]
internal sealed partial class VisionConfigs : JsonSerializerContext;
