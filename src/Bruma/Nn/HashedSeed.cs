using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Randomness without a state: every generator is seeded by where it is used.</summary>
public static class HashedSeed
{
    /// <summary>A seed from a run's seed and a place in it; neighbours are unrelated.</summary>
    /// <remarks>The finaliser of SplitMix64 (Steele, Lea and Flood 2014), chained.</remarks>
    public static ulong Of(long seed, params ReadOnlySpan<long> place)
    {
        var hash = Mix((ulong)seed);
        foreach (var part in place)
            hash = Mix(hash ^ (ulong)part);
        return hash;
    }

    /// <summary>A fresh generator for one place.</summary>
    public static Generator At(long seed, params ReadOnlySpan<long> place) => new(Of(seed, place), CPU);

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
