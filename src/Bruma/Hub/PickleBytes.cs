using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Bruma.Hub;

/// <summary>The arguments of pickle operations. No memory is taken for a length that is only claimed.</summary>
internal sealed class PickleBytes(Stream stream)
{
    private const int MaxLine = 1024;

    public byte Byte() => stream.ReadByte() is >= 0 and var value ? (byte)value : throw new EndOfStreamException();

    public byte[] Take(ulong count)
    {
        if (count > (ulong)(stream.Length - stream.Position)) // before memory is taken for a length that is only claimed
            throw new EndOfStreamException();
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public string Utf8(ulong count) => Encoding.UTF8.GetString(Take(count));

    public string Latin1(ulong count) => Encoding.Latin1.GetString(Take(count));

    public BigInteger Long(int count) => count is >= 0 and <= 255 ? new BigInteger(Take((ulong)count)) : throw new FormatException($"an integer of {count} bytes");

    public string Line()
    {
        var text = new List<byte>();
        for (byte next; (next = Byte()) != '\n';)
        {
            if (text.Count == MaxLine)
                throw new FormatException($"a line longer than {MaxLine} bytes");
            text.Add(next);
        }
        return Encoding.UTF8.GetString([.. text]);
    }

    public ushort Short() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int Signed() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public uint Int() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong LongLength() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public double Double() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    /// <summary>A decimal number on a line of its own.</summary>
    public long Decimal() => long.Parse(Line().TrimEnd('L'), CultureInfo.InvariantCulture);
}
