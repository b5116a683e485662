using Bruma.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>Parts of the losses of diffusion models. All tensors of pictures are [B, C, H, W], all tensors of levels [B].</summary>
public static class DiffusionLosses
{
    /// <summary>What the network should predict at ᾱ.</summary>
    /// <param name="alphaCumprod">ᾱ per picture, [B]; of no meaning for flow.</param>
    public static Tensor Target(PredictionType prediction, Tensor original, Tensor noise, Tensor alphaCumprod)
    {
        using var scope = NewDisposeScope();
        var alpha = Column(alphaCumprod, original);
        var target = prediction switch
        {
            PredictionType.Epsilon => noise.alias(),
            PredictionType.Sample => original.alias(),
            PredictionType.VPrediction => alpha.sqrt() * noise - (1 - alpha).sqrt() * original,
            _ => noise - original,
        };
        return target.MoveToOuterDisposeScope();
    }

    /// <summary>√ᾱ x0 + √(1 - ᾱ) n.</summary>
    public static Tensor Noisy(Tensor original, Tensor noise, Tensor alphaCumprod)
    {
        using var scope = NewDisposeScope();
        var alpha = Column(alphaCumprod, original);
        return (alpha.sqrt() * original + (1 - alpha).sqrt() * noise).MoveToOuterDisposeScope();
    }

    /// <summary>A straight path from data at t = 0 to noise at t = 1: (1 - t) x0 + t n (Liu et al. 2022, arXiv:2209.03003).</summary>
    public static Tensor OnStraightPath(Tensor original, Tensor noise, Tensor times)
    {
        using var scope = NewDisposeScope();
        var t = Column(times, original);
        return ((1 - t) * original + t * noise).MoveToOuterDisposeScope();
    }

    /// <summary>Mean squared error of each picture, [B].</summary>
    public static Tensor PerPicture(Tensor output, Tensor target)
    {
        using var scope = NewDisposeScope();
        return (output - target).square().flatten(1).mean([1L]).MoveToOuterDisposeScope();
    }

    /// <summary>Pseudo-Huber loss 2c (√(d² + c²) - c), mean over everything.</summary>
    public static Tensor Huber(Tensor output, Tensor target, double c)
    {
        using var scope = NewDisposeScope();
        return (2 * c * (((output - target).square() + c * c).sqrt() - c)).mean().MoveToOuterDisposeScope();
    }

    /// <summary>Signal-to-noise ratio ᾱ / (1 - ᾱ).</summary>
    public static Tensor SignalToNoise(Tensor alphaCumprod)
    {
        using var scope = NewDisposeScope();
        return (alphaCumprod / (1 - alphaCumprod)).MoveToOuterDisposeScope();
    }

    /// <summary>Min-SNR weights (Hang et al. 2023, arXiv:2303.09556).</summary>
    /// <param name="zeroTerminalSnr">For v: (min(SNR, γ) + 1) / (SNR + 1), since the plain form leaves the step of SNR 0 untrained.</param>
    public static Tensor MinSnrWeight(PredictionType prediction, Tensor snr, double gamma, bool zeroTerminalSnr = false)
    {
        using var scope = NewDisposeScope();
        var clipped = snr.clamp_max(gamma);
        var weight = prediction switch
        {
            PredictionType.Epsilon => clipped / snr,
            PredictionType.VPrediction => (zeroTerminalSnr ? clipped + 1 : clipped) / (snr + 1),
            PredictionType.Sample => clipped,
            _ => throw new BrumaException("--min-snr-gamma: has no meaning for flow, whose loss is even in time; leave it out."),
        };
        return weight.MoveToOuterDisposeScope();
    }

    /// <summary>Replaces the conditions of some examples by the one that stands for none, so that guidance works.</summary>
    /// <param name="conditions">[B, ...].</param>
    /// <param name="none">[...].</param>
    /// <param name="drop">[B], true where to replace.</param>
    public static Tensor DropConditions(Tensor conditions, Tensor none, Tensor drop)
    {
        using var scope = NewDisposeScope();
        return where(drop.to(@bool).reshape([-1, .. Enumerable.Repeat(1L, (int)conditions.ndim - 1)]), none, conditions).MoveToOuterDisposeScope();
    }

    /// <summary>[B] to [B, 1, 1, 1].</summary>
    internal static Tensor Column(Tensor values, Tensor like) => values.to(like.dtype).reshape([-1, .. Enumerable.Repeat(1L, (int)like.ndim - 1)]);
}
