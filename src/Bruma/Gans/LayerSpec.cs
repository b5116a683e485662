using System.Text.Json.Serialization;

namespace Bruma.Gans;

/// <summary>One layer of a network that is written down as a list: the networks of this family are data, and a checkpoint's config holds them.</summary>
/// <param name="Type">Conv2d, ConvTranspose2d, Linear, BatchNorm2d, GroupNorm, LeakyReLU, ReLU, Tanh, Flatten, Unflatten, Upsample (nearest, factor 2), SumPool (over H and W), ResidualBlock.</param>
/// <param name="Bias">Of convolutions and linear layers; null is true.</param>
/// <param name="SpectralNorm">Divides the weight by its largest singular value.</param>
/// <param name="Channels">Of norms.</param>
/// <param name="Slope">Of LeakyReLU, and within a ResidualBlock; 0 is ReLU.</param>
/// <param name="Shape">Of Unflatten: what [B, product] becomes after B.</param>
/// <param name="Resample">Of a ResidualBlock: <c>up</c>, <c>down</c> or <c>none</c>.</param>
/// <param name="BatchNorm">Of a ResidualBlock: normalise before each activation.</param>
public sealed record LayerSpec(
    string Type,
    int In = 0,
    int Out = 0,
    int Kernel = 0,
    int Stride = 1,
    int Padding = 0,
    bool? Bias = null,
    bool SpectralNorm = false,
    int Channels = 0,
    int Groups = 0,
    double Slope = 0,
    IReadOnlyList<long>? Shape = null,
    string? Resample = null,
    bool BatchNorm = false)
{
    [JsonIgnore]
    public bool HasBias => Bias ?? true;

    public static LayerSpec Conv(int from, int to, int kernel, int stride = 1, bool? bias = null, bool spectralNorm = false) =>
        new("Conv2d", from, to, kernel, stride, (kernel - 1) / 2, bias, spectralNorm);

    public static LayerSpec Dense(int from, int to, bool spectralNorm = false) => new("Linear", from, to, SpectralNorm: spectralNorm);

    public static LayerSpec Leaky(double slope) => slope == 0 ? new("ReLU") : new("LeakyReLU", Slope: slope);
}

/// <summary>A generator as <c>generator/config.json</c> holds it.</summary>
/// <param name="LatentWidth">Width Z of the noise.</param>
/// <param name="Classes">0 without classes.</param>
/// <param name="ClassWidth">Width of the class embedding that is appended to the noise.</param>
/// <param name="Layers">From [B, Z + class width] to [B, C, H, W] in [-1, 1].</param>
/// <param name="Resolution">Height and width of its pictures.</param>
public sealed record GeneratorConfig(int LatentWidth, int Resolution, IReadOnlyList<LayerSpec> Layers, int Classes = 0, int ClassWidth = 0);

/// <summary>How a discriminator uses classes.</summary>
public enum ClassConditioning
{
    None,

    /// <summary>The class's embedding times the features is added to the logit (Miyato and Koyama 2018, arXiv:1802.05637).</summary>
    Projection,

    /// <summary>A second head guesses the class (Odena, Olah and Shlens 2016, arXiv:1610.09585).</summary>
    AuxiliaryClassifier,
}

/// <summary>A discriminator: layers to [B, 1], or with classes to features [B, F] that the heads judge.</summary>
/// <param name="Features">F; only with classes.</param>
public sealed record DiscriminatorConfig(IReadOnlyList<LayerSpec> Layers, ClassConditioning Conditioning = ClassConditioning.None, int Classes = 0, int Features = 0, bool SpectralHeads = false);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(GeneratorConfig))]
[JsonSerializable(typeof(LayerSpec[]))]
internal sealed partial class GanConfigsJson : JsonSerializerContext;
