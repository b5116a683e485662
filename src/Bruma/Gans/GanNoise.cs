using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Gans;

/// <summary>What a generator draws from.</summary>
/// <param name="Latents">[B, Z], unit variance.</param>
/// <param name="Classes">int64 [B]; null without classes.</param>
public readonly record struct GanDraw(Tensor Latents, Tensor? Classes);

/// <summary>Everything random of a run, as a function of the place where it is used: a resumed run draws the same.</summary>
public abstract class GanNoise
{
    /// <summary>For the generator's update; with one discriminator step the discriminator sees the same pictures.</summary>
    public abstract GanDraw ForGenerator(long step);

    /// <summary>For a discriminator's update of its own.</summary>
    /// <param name="pass">Counts all discriminator updates of the run.</param>
    public abstract GanDraw ForDiscriminator(long step, long pass);

    /// <summary>Shares of the real images where a gradient penalty is taken, [B, 1, 1, 1] in [0, 1).</summary>
    public abstract Tensor Between(long pass);

    /// <summary>For augmentation before the n-th judgement of a pass.</summary>
    public abstract Generator ForAugmentation(long pass, int judgement);
}

/// <summary>Noise from a seed.</summary>
/// <param name="classes">0 without classes.</param>
public sealed class SeededGanNoise(long seed, int batchSize, int latentWidth, int classes) : GanNoise
{
    private enum Use : long
    {
        Generator = 11,
        Discriminator = 12,
        Between = 13,
        Augmentation = 14,
    }

    public override GanDraw ForGenerator(long step) => Draw(HashedSeed.At(seed, (long)Use.Generator, step));

    public override GanDraw ForDiscriminator(long step, long pass) => Draw(HashedSeed.At(seed, (long)Use.Discriminator, pass));

    public override Tensor Between(long pass)
    {
        using var random = HashedSeed.At(seed, (long)Use.Between, pass);
        return rand([batchSize, 1, 1, 1], generator: random);
    }

    public override Generator ForAugmentation(long pass, int judgement) => HashedSeed.At(seed, (long)Use.Augmentation, pass, judgement);

    private GanDraw Draw(Generator generator)
    {
        using var random = generator;
        var latents = randn([batchSize, latentWidth], generator: random);
        return new GanDraw(latents, classes == 0 ? null : randint(0, classes, [batchSize], int64, generator: random));
    }
}
