using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Bruma.Tests.Hub;

/// <summary>Writes pickles operation by operation, and the two file formats of torch.save around them.</summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream _bytes = new();

    /// <summary>A file whose dictionary holds 4 x 3 numbers 0..11 in one storage, under four views.</summary>
    public static PickleWriter Views() => new PickleWriter().Op("\u0080\u0002}(")
        .Text("plain").Tensor(0, [4, 3], [3, 1])
        .Text("transposed").Tensor(0, [3, 4], [1, 3])
        .Text("column").Tensor(1, [4], [3])
        .Text("nested").Op("}").Text("expanded").Tensor(5, [2, 3], [0, 0]).Op("s")
        .Text("step").Op("K\u0007")
        .Op("u.");

    public static byte[] Numbers(int count)
    {
        var bytes = new byte[4 * count];
        for (var i = 0; i < count; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), i);
        return bytes;
    }

    /// <summary>Operations and one-byte arguments as characters.</summary>
    public PickleWriter Op(string codes)
    {
        _bytes.Write(Encoding.Latin1.GetBytes(codes));
        return this;
    }

    public PickleWriter Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Op("X").Int(bytes.Length);
        _bytes.Write(bytes);
        return this;
    }

    public PickleWriter Global(string module, string name) => Op($"c{module}\n{name}\n");

    public PickleWriter Tensor(int offset, int[] shape, int[] strides, string type = "FloatStorage", int count = 12)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Op("((").Text("storage").Global("torch", type).Text("0").Text("cpu").Number(count).Op("tQ").Number(offset);
        foreach (var extents in new[] { shape, strides })
        {
            Op("(");
            foreach (var extent in extents)
                Number(extent);
            Op("t");
        }
        return Op("\u0089").Global("collections", "OrderedDict").Op(")RtR");
    }

    public byte[] Bytes() => _bytes.ToArray();

    public void SaveZip(string path, byte[] storage)
    {
        using var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        foreach (var (name, bytes) in new[] { ("data.pkl", Bytes()), ("data/0", storage), ("version", "3\n"u8.ToArray()) })
        {
            using var record = zip.CreateEntry($"archive/{name}", CompressionLevel.NoCompression).Open();
            record.Write(bytes);
        }
    }

    public void SaveLegacy(string path, byte[] storage)
    {
        using var file = File.Create(path);
        file.Write([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.']);
        file.Write(new PickleWriter().Op("\u0080\u0002M\u00e9\u0003.").Bytes()); // 1001
        file.Write(new PickleWriter().Op("\u0080\u0002}").Text("little_endian").Op("\u0088s.").Bytes());
        file.Write(Bytes());
        file.Write(new PickleWriter().Op("\u0080\u0002]").Text("0").Op("a.").Bytes());
        var count = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(count, storage.Length / 4);
        file.Write(count);
        file.Write(storage);
    }

    private PickleWriter Number(int value) => Op("J").Int(value);

    private PickleWriter Int(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        _bytes.Write(bytes);
        return this;
    }
}
