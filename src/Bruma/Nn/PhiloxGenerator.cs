namespace Bruma.Nn;

/// <summary>Philox 4x32-10, the counter-based generator of GPUs: normal numbers that are the same on every machine for a seed and a call.</summary>
/// <remarks>Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". Counter (offset, 0, i, 0), key (low, high 32 bits of the seed), one normal per element i
/// by Box and Muller from the first two outputs, in double precision.</remarks>
public sealed class PhiloxGenerator(ulong seed, uint offset = 0)
{
    private const int Rounds = 10;

    /// <summary>Grows by one with every call that draws.</summary>
    public uint Offset { get; private set; } = offset;

    /// <summary>The next <paramref name="count"/> standard normal numbers.</summary>
    public float[] Normals(int count)
    {
        var normals = new float[count];
        for (var i = 0; i < count; i++)
        {
            var (x, y, _, _) = Block((uint)i);
            var (u, v) = (x * Math.ScaleB(1, -32) + Math.ScaleB(1, -33), 2 * Math.PI * (y * Math.ScaleB(1, -32) + Math.ScaleB(1, -33)));
            normals[i] = (float)(Math.Sqrt(-2 * Math.Log(u)) * Math.Sin(v));
        }
        Offset++;
        return normals;
    }

    /// <summary>The four outputs for element <paramref name="index"/> at the current offset.</summary>
    public (uint X, uint Y, uint Z, uint W) Block(uint index)
    {
        var (a, b, c, d) = (Offset, 0u, index, 0u);
        var (keyLow, keyHigh) = ((uint)seed, (uint)(seed >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var (first, second) = (a * 0xD2511F53ul, c * 0xCD9E8D57ul);
            (a, b, c, d) = ((uint)(second >> 32) ^ b ^ keyLow, (uint)second, (uint)(first >> 32) ^ d ^ keyHigh, (uint)first);
            keyLow += 0x9E3779B9;
            keyHigh += 0xBB67AE85;
        }
        return (a, b, c, d);
    }
}
