using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Cli;

/// <summary>Writes texts' vectors: <c>.npy</c>, <c>.safetensors</c> (<c>embeddings</c> [N, D]) or <c>.jsonl</c> with <c>text</c> and <c>embedding</c>.</summary>
internal static class VectorFiles
{
    private const int SafetensorsHeader = 256;

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Check(string path)
    {
        if (Path.GetExtension(path) is not (".npy" or ".safetensors" or ".jsonl"))
            throw new UsageException($"--output {path}: vectors are written as .npy, .safetensors or .jsonl; give a name that ends so.");
    }

    /// <summary>Takes the rows one by one and keeps none.</summary>
    public static void Write(string path, IEnumerable<(string Text, float[] Vector)> rows)
    {
        switch (Path.GetExtension(path))
        {
            case ".npy":
                NpyFile.Write(path, rows.Select(row => row.Vector));
                break;
            case ".jsonl":
                AtomicFile.Write(path, stream =>
                {
                    foreach (var (text, vector) in rows)
                    {
                        JsonSerializer.Serialize(stream, new { text, embedding = vector }, Readable);
                        stream.Write("\n"u8);
                    }
                });
                break;
            default:
                WriteSafetensors(path, rows.Select(row => row.Vector));
                break;
        }
    }

    /// <summary>The header's place is kept free until the number of rows is known; spaces fill it.</summary>
    private static void WriteSafetensors(string path, IEnumerable<float[]> vectors) => AtomicFile.Write(path, stream =>
    {
        Span<byte> header = stackalloc byte[sizeof(ulong) + SafetensorsHeader];
        stream.Write(header);
        var (rows, width) = (0L, 0);
        foreach (var vector in vectors)
        {
            stream.Write(MemoryMarshal.AsBytes<float>(vector));
            (rows, width) = (rows + 1, vector.Length);
        }
        header.Fill((byte)' ');
        BinaryPrimitives.WriteUInt64LittleEndian(header, SafetensorsHeader);
        JsonSerializer.SerializeToUtf8Bytes(new { embeddings = new { dtype = "F32", shape = new[] { rows, width }, data_offsets = new[] { 0, rows * width * sizeof(float) } } }).CopyTo(header[sizeof(ulong)..]);
        stream.Position = 0;
        stream.Write(header);
    });
}
