using Bruma.Data;
using Bruma.Diffusion;

namespace Bruma.Recipes;

/// <summary>U-Nets that suit a resolution: attention only at the lowest one, where it is cheap.</summary>
public static class DiffusionNetworks
{
    private const int LargestOwnResolution = 64;

    /// <summary>The data's own size up to 64 px.</summary>
    public static int ResolutionOf(ImageSource source)
    {
        for (var i = 0; i < source.Examples.Count; i++)
            try
            {
                using var first = source.Load(i);
                return (int)Math.Clamp(Math.Min(first.shape[1], first.shape[2]), 8, LargestOwnResolution);
            }
            catch (BrumaException)
            {
                // a broken picture is reported when all are loaded
            }
        return LargestOwnResolution;
    }

    public static int BatchSizeFor(int resolution) => resolution <= 36 ? 128 : resolution <= 72 ? 32 : 16;

    /// <param name="resolution">Height and width in pixels.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="classes">Number of classes; 0 for none. One more row stands for "no class".</param>
    /// <param name="dropout">Dropout in the residual blocks.</param>
    public static UNet2DConfig For(int resolution, int channels, int classes, double dropout)
    {
        int[] widths = resolution switch
        {
            <= 36 => [32, 64, 64],
            <= 72 => [32, 64, 128, 128],
            _ => [32, 64, 96, 128, 128],
        };
        var last = widths.Length - 1;
        return new UNet2DConfig(
            SampleSize: resolution,
            InChannels: channels,
            OutChannels: channels,
            BlockOutChannels: widths,
            DownBlockTypes: [.. widths.Select((_, i) => i == last ? "AttnDownBlock2D" : "DownBlock2D")],
            UpBlockTypes: [.. widths.Select((_, i) => i == 0 ? "AttnUpBlock2D" : "UpBlock2D")],
            LayersPerBlock: 1,
            AttentionHeadDim: 32,
            Dropout: dropout,
            NumClassEmbeds: classes == 0 ? null : classes + 1);
    }
}
