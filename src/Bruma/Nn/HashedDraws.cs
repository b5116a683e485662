namespace Bruma.Nn;

/// <summary>A short sequence of random choices that is a function of where it is used: nothing to save, nothing shared.</summary>
/// <param name="seed">Of the run.</param>
/// <param name="place">Where in the run, such as an example's number.</param>
public sealed class HashedDraws(long seed, params ReadOnlySpan<long> place)
{
    private readonly long _start = (long)HashedSeed.Of(seed, place);
    private long _drawn;

    /// <summary>Uniform in [0, 1).</summary>
    public double Next() => (HashedSeed.Of(_start, _drawn++) >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform from 0 to below the limit.</summary>
    public int Below(int limit) => (int)(Next() * limit);

    public bool Chance(double probability) => Next() < probability;

    public T Of<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>Uniform between two numbers.</summary>
    public double Between(double low, double high) => low + (high - low) * Next();
}
