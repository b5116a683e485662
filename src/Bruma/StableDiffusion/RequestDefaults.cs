using Bruma.Diffusion;
using Bruma.Hub;

namespace Bruma.StableDiffusion;

/// <summary>What a request means that leaves things open: the model's own wishes, else those of diffusers' pipeline for such networks.</summary>
/// <param name="Strength">Of a start picture without a mask.</param>
/// <param name="Pixels">Side of the model's pictures, where the model says it in pixels.</param>
/// <param name="Latents">Sides of the model's latents.</param>
public sealed record RequestDefaults(int Steps, double GuidanceScale, double Strength, int? Pixels, SampleSize? Latents)
{
    private static readonly SampleSize LatentsOfFirst = 64;

    public PictureSize Size(int reduction) => Pixels is { } side
        ? new PictureSize(side, side)
        : (Latents ?? LatentsOfFirst) is var latents ? new PictureSize(latents.Height * reduction, latents.Width * reduction) : default;

    internal static RequestDefaults For(UNet2DConditionConfig network, bool isXl, ModelDefaults model)
    {
        var (steps, scale) = network switch
        {
            { TimeCondProjDim: not null } => (4, 8.5),
            { IsInstruction: true } => (100, 7.5),
            _ => (50, isXl ? 5.0 : 7.5),
        };
        return new RequestDefaults(model.Steps ?? steps, model.GuidanceScale ?? scale, isXl ? 0.3 : 0.8, model.Size, network.SampleSize);
    }
}
