using System.Buffers.Binary;
using System.Text;

namespace Bruma.Training;

/// <summary>Scalars for TensorBoard: an <c>events.out.tfevents.*</c> file.</summary>
/// <remarks>TFRecord framing (length, masked CRC-32C, data, masked CRC-32C) around Event messages of tensorflow/core/util/event.proto, written by hand.</remarks>
public sealed class EventFile : IDisposable
{
    private readonly FileStream _stream;

    /// <param name="folder">A new file begins with every part of a run; TensorBoard joins them.</param>
    public EventFile(string folder)
    {
        var now = DateTimeOffset.UtcNow;
        _stream = new FileStream(Path.Combine(folder, FormattableString.Invariant($"events.out.tfevents.{now.ToUnixTimeSeconds():D10}.{Environment.ProcessId}.bruma")), FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        Record([.. Double(1, Seconds(now)), .. Text(3, "brain.Event:2")]);
    }

    public void Write(StepReport report)
    {
        byte[] summary = [.. report.Scalars.SelectMany(scalar => Scalar(scalar.Key, scalar.Value))];
        Record([.. Double(1, Seconds(DateTimeOffset.UtcNow)), 2 << 3, .. Varint((ulong)report.Step), .. Bytes(5, summary)]);
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>CRC-32C (Castagnoli), as TFRecord masks it.</summary>
    public static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
            crc = System.Numerics.BitOperations.Crc32C(crc, value);
        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    private void Record(byte[] data)
    {
        Span<byte> header = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], MaskedCrc(header[..8]));
        Span<byte> footer = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(footer, MaskedCrc(data));
        _stream.Write([.. header, .. data, .. footer]);
    }

    private static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    private static byte[] Scalar(string tag, double value)
    {
        var number = new byte[5];
        number[0] = (2 << 3) | 5; // simple_value, fixed 32 bit
        BinaryPrimitives.WriteSingleLittleEndian(number.AsSpan(1), (float)value);
        return Bytes(1, [.. Text(1, tag), .. number]);
    }

    private static byte[] Double(int field, double value)
    {
        var bytes = new byte[9];
        bytes[0] = (byte)((field << 3) | 1);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(1), value);
        return bytes;
    }

    private static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Bytes(int field, byte[] bytes) => [(byte)((field << 3) | 2), .. Varint((ulong)bytes.Length), .. bytes];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
