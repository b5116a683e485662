namespace Bruma.Gans;

/// <summary>What decides the pair of networks.</summary>
/// <param name="Architecture"><c>dcgan</c> or <c>resnet</c>.</param>
/// <param name="Resolution">28 to 128 px.</param>
/// <param name="Channels">1 or 3.</param>
/// <param name="Normalised">Batch norms in the generator.</param>
/// <param name="SpectralNorm">In the discriminator.</param>
/// <param name="Classes">0 without classes.</param>
public sealed record GanShape(
    string Architecture, int Resolution, int Channels, int LatentWidth, bool Normalised, bool SpectralNorm, ClassConditioning Conditioning = ClassConditioning.None, int Classes = 0);

/// <summary>Generators and discriminators whose depth and widths follow from the resolution.</summary>
/// <remarks>The generator begins at 4 to 7 px and doubles; the discriminator halves in the same steps. At 28 px: 7x7x64, 48, 32 and back.</remarks>
public static class GanArchitectures
{
    public static readonly IReadOnlyList<string> Names = ["dcgan", "resnet"];

    private const int ClassWidth = 32;
    private const double Slope = 0.2;
    private const int LargestStart = 7;

    /// <summary>Widths from the full resolution downwards.</summary>
    private static readonly int[] Widths = [32, 48, 64, 96, 128, 128];
    private static readonly int[] WidthsOfLarge = [32, 48, 96, 128, 128, 128];

    /// <summary>Whether a picture of this size halves down to 4 to 7 px.</summary>
    public static bool Fits(int resolution) => resolution is >= 16 and <= 128 && Start(resolution) is >= 4 and <= LargestStart;

    public static GeneratorConfig Generator(GanShape shape)
    {
        var (start, widths) = (Start(shape.Resolution), WidthsFor(shape.Resolution));
        var levels = Levels(shape.Resolution);
        var classWidth = shape.Classes == 0 ? 0 : ClassWidth;
        var layers = new List<LayerSpec> { LayerSpec.Dense(shape.LatentWidth + classWidth, widths[levels] * start * start), new("Unflatten", Shape: [widths[levels], start, start]) };
        var activation = LayerSpec.Leaky(shape.Normalised ? 0 : Slope);
        if (shape.Architecture == "resnet")
        {
            for (var level = levels; level > 0; level--)
                layers.Add(new("ResidualBlock", widths[level], widths[level - 1], Resample: "up", BatchNorm: shape.Normalised, Slope: shape.Normalised ? 0 : Slope));
            Activate(widths[0]);
        }
        else
        {
            Activate(widths[levels]);
            for (var level = levels; level > 0; level--)
            {
                layers.AddRange([new("Upsample"), LayerSpec.Conv(widths[level], widths[level - 1], 3, bias: !shape.Normalised)]);
                Activate(widths[level - 1]);
            }
        }
        layers.AddRange([LayerSpec.Conv(widths[0], shape.Channels, 3), new("Tanh")]);
        return new GeneratorConfig(shape.LatentWidth, shape.Resolution, layers, shape.Classes, classWidth);

        void Activate(int width)
        {
            if (shape.Normalised)
                layers.Add(new("BatchNorm2d", Channels: width));
            layers.Add(activation);
        }
    }

    public static DiscriminatorConfig Discriminator(GanShape shape)
    {
        var (start, widths) = (Start(shape.Resolution), WidthsFor(shape.Resolution));
        var levels = Levels(shape.Resolution);
        var spectral = shape.SpectralNorm;
        var layers = new List<LayerSpec> { LayerSpec.Conv(shape.Channels, widths[0], 3, spectralNorm: spectral) };
        if (shape.Architecture == "resnet")
        {
            for (var level = 0; level < levels; level++)
                layers.Add(new("ResidualBlock", widths[level], widths[level + 1], Resample: "down", SpectralNorm: spectral, Slope: Slope));
            layers.Add(LayerSpec.Leaky(Slope));
        }
        else
        {
            layers.Add(LayerSpec.Leaky(Slope));
            for (var level = 0; level < levels; level++)
                layers.AddRange(
                [
                    LayerSpec.Conv(widths[level], widths[level + 1], 4, stride: 2, spectralNorm: spectral), LayerSpec.Leaky(Slope),
                    LayerSpec.Conv(widths[level + 1], widths[level + 1], 3, spectralNorm: spectral), LayerSpec.Leaky(Slope),
                ]);
        }
        var flat = widths[levels] * start * start;
        switch (shape.Conditioning)
        {
            case ClassConditioning.Projection:
                layers.Add(new("SumPool"));
                return new DiscriminatorConfig(layers, shape.Conditioning, shape.Classes, widths[levels], spectral);
            case ClassConditioning.AuxiliaryClassifier:
                layers.Add(new("Flatten"));
                return new DiscriminatorConfig(layers, shape.Conditioning, shape.Classes, flat, spectral);
            default:
                layers.AddRange([new("Flatten"), LayerSpec.Dense(flat, 1, spectral)]);
                return new DiscriminatorConfig(layers);
        }
    }

    /// <summary>A logit for every patch of 70 px (Isola et al. 2017, arXiv:1611.07004): [B, C, H, W] to [B, 1, H/8 - 2, W/8 - 2], with spectral norms.</summary>
    public static DiscriminatorConfig PatchDiscriminator(int channels, int width) => new(
    [
        Patch(channels, width, 2), LayerSpec.Leaky(Slope),
        Patch(width, 2 * width, 2), LayerSpec.Leaky(Slope),
        Patch(2 * width, 4 * width, 2), LayerSpec.Leaky(Slope),
        Patch(4 * width, 4 * width, 1), LayerSpec.Leaky(Slope),
        Patch(4 * width, 1, 1),
    ]);

    private static LayerSpec Patch(int from, int to, int stride) => LayerSpec.Conv(from, to, 4, stride, spectralNorm: true);

    private static int[] WidthsFor(int resolution) => resolution <= 40 ? Widths : WidthsOfLarge;

    private static int Levels(int resolution)
    {
        var levels = 0;
        for (; resolution > LargestStart && resolution % 2 == 0; resolution /= 2)
            levels++;
        return levels;
    }

    private static int Start(int resolution) => resolution >> Levels(resolution);
}
