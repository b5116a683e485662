using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Bruma.Hub;

/// <summary>Writes numpy's <c>.npy</c>, version 1.0.</summary>
public static class NpyFile
{
    private const int Alignment = 64;

    /// <param name="rows">Of equal length; taken one by one, so that a long stream needs no memory.</param>
    /// <exception cref="BrumaException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<float[]> rows) => AtomicFile.Write(path, stream =>
    {
        var (count, width) = (0L, 0);
        stream.Write(Header(long.MaxValue, int.MaxValue)); // as long as any; the true one replaces it
        foreach (var row in rows)
        {
            (count, width) = (count + 1, row.Length);
            stream.Write(MemoryMarshal.AsBytes<float>(row));
        }
        stream.Position = 0;
        stream.Write(Header(count, width));
    });

    private static byte[] Header(long count, int width)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {width}), }}");
        const int Prefix = 10; // magic, version, length
        const int Length = 2 * Alignment;
        var header = new byte[Length];
        "\u0093NUMPY"u8[1..].CopyTo(header.AsSpan(0)); // U+0093 is two bytes in UTF-8, of which the second is the magic one
        header[6] = 1;
        BitConverter.TryWriteBytes(header.AsSpan(8), (ushort)(Length - Prefix));
        header.AsSpan(Prefix).Fill((byte)' ');
        Encoding.ASCII.GetBytes(text).CopyTo(header, Prefix);
        header[^1] = (byte)'\n';
        return header;
    }
}
