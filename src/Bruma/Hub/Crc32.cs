namespace Bruma.Hub;

/// <summary>The CRC-32 of IEEE 802.3, as zip and PNG use it.</summary>
public static class Crc32
{
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(index => Enumerable.Range(0, 8).Aggregate((uint)index, (sum, _) => (sum & 1) != 0 ? 0xEDB88320u ^ (sum >> 1) : sum >> 1))];

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        foreach (var value in bytes)
            sum = Table[(byte)(sum ^ value)] ^ (sum >> 8);
        return ~sum;
    }
}
