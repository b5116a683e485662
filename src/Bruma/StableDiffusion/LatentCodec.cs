using Bruma.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Between pictures and the scaled latents in which Stable Diffusion works.</summary>
public sealed class LatentCodec(AutoencoderKl autoencoder)
{
    /// <summary>Pixels per latent, along a side.</summary>
    public int Reduction => autoencoder.Config.Reduction;

    public int Channels => autoencoder.Config.LatentChannels;

    /// <param name="pictures">[B, 3, H, W] in [-1, 1].</param>
    /// <param name="noise">Draws the sample; null takes the mean.</param>
    /// <param name="tiled">In tiles, for big pictures.</param>
    /// <returns>Scaled latents, [B, 4, H/8, W/8], fp32.</returns>
    public Tensor Encode(Tensor pictures, NoiseSource? noise, bool tiled = false)
    {
        using var scope = NewDisposeScope();
        return Scale(EncodeRaw(pictures, noise, tiled)).MoveToOuterDisposeScope();
    }

    /// <summary>The same without the scaling: what InstructPix2Pix sees of a picture.</summary>
    public Tensor EncodeRaw(Tensor pictures, NoiseSource? noise, bool tiled = false)
    {
        using var scope = NewDisposeScope();
        var distribution = tiled ? LatentTiles.Encode(autoencoder, pictures, Reduction) : autoencoder.Encode(pictures);
        var mean = distribution.Mean.to(float32);
        var latents = noise is null ? mean : new LatentDistribution(mean, distribution.LogVariance.to(float32)).Sample(noise(mean.shape));
        return latents.MoveToOuterDisposeScope();
    }

    /// <param name="latents">Scaled latents, [B, 4, h, w].</param>
    /// <returns>[B, 3, 8h, 8w], clamped to [-1, 1], fp32.</returns>
    public Tensor Decode(Tensor latents, bool tiled = false)
    {
        using var scope = NewDisposeScope();
        var config = autoencoder.Config;
        var raw = config is { LatentsMean: { } means, LatentsStd: { } deviations }
            ? latents * Column(deviations) / config.ScalingFactor + Column(means)
            : latents / config.ScalingFactor + (config.ShiftFactor ?? 0);
        var pictures = tiled ? LatentTiles.Decode(autoencoder, raw, Reduction) : autoencoder.Decode(raw);
        return pictures.to(float32).clamp(-1, 1).MoveToOuterDisposeScope();
    }

    private Tensor Scale(Tensor raw)
    {
        var config = autoencoder.Config;
        return config is { LatentsMean: { } means, LatentsStd: { } deviations }
            ? (raw - Column(means)) * config.ScalingFactor / Column(deviations)
            : (raw - (config.ShiftFactor ?? 0)) * config.ScalingFactor;
    }

    private static Tensor Column(double[] values) => tensor(values.Select(value => (float)value).ToArray()).reshape(1, -1, 1, 1);
}
