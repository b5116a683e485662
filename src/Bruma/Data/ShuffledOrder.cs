using Bruma.Nn;

namespace Bruma.Data;

/// <summary>A shuffled pass over the data per epoch, as a pure function: nothing is stored.</summary>
/// <remarks>A Feistel network of four rounds permutes the next power of four; indices beyond the count are walked over (Black and Rogaway 2002).</remarks>
public static class ShuffledOrder
{
    private const int Rounds = 4;

    /// <summary>Index of the example at a position of the endless stream: every epoch of <paramref name="count"/> positions visits each once.</summary>
    public static int At(long seed, long position, int count)
    {
        var (epoch, place) = Math.DivRem(position, count);
        var half = 1;
        while (1L << (2 * half) < count)
            half++;
        var mask = (1UL << half) - 1;
        var value = (ulong)place;
        do
        {
            var (left, right) = (value >> half, value & mask);
            for (var round = 0; round < Rounds; round++)
                (left, right) = (right, left ^ (HashedSeed.Of(seed, 1, epoch, round, (long)right) & mask));
            value = (left << half) | right;
        }
        while (value >= (ulong)count);
        return (int)value;
    }
}
