using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>One picture's draws of noise, in order, from its seed.</summary>
/// <param name="seed">Of the picture.</param>
/// <param name="source">Which generator.</param>
/// <param name="variation">Mixed into the first draw; its seed is this picture's.</param>
internal sealed class SeededNoise(long seed, RandomSource source, Variation? variation) : IDisposable
{
    /// <summary>Nearly parallel noise is mixed straight.</summary>
    private const double Parallel = 0.9995;

    private readonly Generator? _cpu = source == RandomSource.Cpu ? new Generator((ulong)seed, CPU) : null;
    private readonly PhiloxGenerator? _cuda = source == RandomSource.Cuda ? new PhiloxGenerator((ulong)seed) : null;
    private bool _begun;

    /// <returns>Standard normal, fp32.</returns>
    public Tensor Draw(long[] shape)
    {
        using var scope = NewDisposeScope();
        var noise = _cpu is not null ? randn(shape, generator: _cpu) : tensor(_cuda!.Normals((int)shape.Aggregate(1L, (product, size) => product * size))).reshape(shape);
        if (!_begun && variation is { Strength: not 0 } other)
        {
            using var mixed = new SeededNoise(other.Seed, source, null);
            noise = Spherical(noise, mixed.Draw(shape), other.Strength);
        }
        _begun = true;
        return noise.MoveToOuterDisposeScope();
    }

    public void Dispose() => _cpu?.Dispose();

    /// <summary>Along the great circle, for each row of each channel's columns on its own, as A1111 mixes variations.</summary>
    private static Tensor Spherical(Tensor from, Tensor to, double share)
    {
        var (a, b) = (from / from.norm(-2, true), to / to.norm(-2, true));
        var cosine = (a * b).sum(-2, keepdim: true);
        if (cosine.mean().item<float>() > Parallel)
            return from * (1 - share) + to * share;
        var angle = cosine.acos();
        return (angle * (1 - share)).sin() / angle.sin() * from + (angle * share).sin() / angle.sin() * to;
    }
}
