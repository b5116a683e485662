using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Where a run begins and what holds it to a picture.</summary>
/// <param name="Latents">At the noise level of <paramref name="First"/>, [B, 4, h, w].</param>
/// <param name="First">Index of the first step.</param>
/// <param name="Channels">What the network sees behind the latents, [B, C, h, w]; null for nothing.</param>
/// <param name="AfterStep">Puts back what the mask keeps; null for nothing.</param>
internal sealed record LatentStart(Tensor Latents, int First = 0, Tensor? Channels = null, Func<int, Tensor, Tensor>? AfterStep = null);

/// <summary>Starts of the tasks, each with its draws in the order of diffusers.</summary>
/// <param name="noise">The draws.</param>
/// <param name="batch">B.</param>
internal sealed class LatentStarts(LatentCodec codec, Scheduler scheduler, NoiseSource noise, long batch)
{
    public bool IsTiled { get; init; }

    /// <summary>Noise only.</summary>
    public LatentStart FromNoise(PictureSize size) => new(noise(Shape(size)) * scheduler.InitNoiseSigma);

    /// <summary>A picture, from the step on that leaves the given share of the steps; see <see cref="FromLatents"/>.</summary>
    public LatentStart FromPicture(Tensor picture, int steps, double strength, double? denoisingStart)
    {
        using var scope = NewDisposeScope();
        var start = FromLatents(codec.Encode(picture, noise, IsTiled), steps, strength, denoisingStart);
        return start with { Latents = start.Latents.MoveToOuterDisposeScope() };
    }

    /// <summary>Latents that exist already: noised, or as they are when <paramref name="denoisingStart"/> says how much of the noise is gone.</summary>
    public LatentStart FromLatents(Tensor latents, int steps, double strength, double? denoisingStart)
    {
        using var scope = NewDisposeScope();
        var (all, first) = (Repeated(latents.to(float32)), FirstStep(steps, strength, denoisingStart));
        return new LatentStart((denoisingStart is null ? scheduler.AddNoiseAt(all, noise(all.shape), first) : all.alias()).MoveToOuterDisposeScope(), first);
    }

    /// <summary>The picture to change, for InstructPix2Pix: noise, with the picture's mean latents beside it.</summary>
    public LatentStart FromInstruction(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var size = new PictureSize((int)picture.shape[2], (int)picture.shape[3]);
        var start = FromNoise(size);
        var channels = Repeated(codec.EncodeRaw(picture, null, IsTiled));
        return start with { Latents = start.Latents.MoveToOuterDisposeScope(), Channels = channels.MoveToOuterDisposeScope() };
    }

    /// <summary>A picture of which the mask is drawn anew.</summary>
    /// <param name="mask">[1, 1, H, W], 1 where to draw anew.</param>
    /// <param name="seesMask">Whether the network sees mask and masked picture.</param>
    public LatentStart FromMasked(Tensor picture, Tensor mask, int steps, double strength, bool seesMask)
    {
        using var scope = NewDisposeScope();
        var (pure, plain, first) = (strength >= 1, !seesMask, FirstStep(steps, strength, null));
        var original = plain || !pure ? Repeated(codec.Encode(picture, noise, IsTiled)) : null;
        var size = new PictureSize((int)picture.shape[2], (int)picture.shape[3]);
        var start = noise(Shape(size));
        var latents = pure ? start * scheduler.InitNoiseSigma : scheduler.AddNoiseAt(original!, start, first);
        var masked = Repeated(codec.Encode(picture * (mask < 0.5), noise, IsTiled)); // drawn also where it is not used, as in diffusers
        var small = nn.functional.interpolate(mask, [latents.shape[2], latents.shape[3]], mode: InterpolationMode.Nearest); // [1, 1, h, w]
        latents.MoveToOuterDisposeScope();
        if (!plain)
            return new LatentStart(latents, first, cat([Repeated(small), masked], 1).MoveToOuterDisposeScope());

        foreach (var kept in new[] { original!, start, small })
            kept.MoveToOuterDisposeScope();
        return new LatentStart(latents, first, null, (step, sample) =>
        {
            using var inner = NewDisposeScope();
            var next = step + 1 < scheduler.Timesteps.Count ? scheduler.AddNoiseAt(original!, start, step + 1) : original!;
            return ((1 - small) * next + small * sample).MoveToOuterDisposeScope();
        });
    }

    /// <summary>Index after the last step that is left of <paramref name="end"/> of the noise; null for the whole schedule.</summary>
    public int? EndStep(double? end) => end is > 0 and < 1 ? scheduler.Timesteps.TakeWhile(timestep => timestep >= Cutoff(end.Value)).Count() : null;

    /// <summary>uint8 to [1, 3, H, W] in [-1, 1], at the size if one is given.</summary>
    public static Tensor Prepare(Tensor pixels, PictureSize? size, int reduction)
    {
        using var scope = NewDisposeScope();
        return VaeImages.Prepare(pixels, size is { } given ? (given.Height, given.Width) : null, reduction).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>uint8 to [1, 1, H, W], 1 where to draw anew.</summary>
    public static Tensor PrepareMask(Tensor mask, PictureSize size, int reduction)
    {
        using var scope = NewDisposeScope();
        return VaeImages.PrepareMask(mask, (size.Height, size.Width), reduction).unsqueeze(0).MoveToOuterDisposeScope();
    }

    private double Cutoff(double share) => Math.Round(scheduler.Config.NumTrainTimesteps - share * scheduler.Config.NumTrainTimesteps);

    private int FirstStep(int steps, double strength, double? denoisingStart)
    {
        if (denoisingStart is not { } gone)
            return Math.Max(steps - Math.Min((int)(steps * strength), steps), 0) * scheduler.Order;
        var left = scheduler.Timesteps.Count(timestep => timestep < Cutoff(gone));
        if (scheduler.Order == 2 && left % 2 == 0)
            left++; // not between the two stages of a step
        return scheduler.Timesteps.Count - left;
    }

    private long[] Shape(PictureSize size) => [batch, codec.Channels, size.Height / codec.Reduction, size.Width / codec.Reduction];

    private Tensor Repeated(Tensor one) => one.shape[0] == batch ? one : one.repeat(batch, 1, 1, 1);
}
