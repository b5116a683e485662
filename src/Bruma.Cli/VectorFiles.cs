using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Cli;

/// <summary>Writes texts' vectors: <c>.npy</c>, <c>.safetensors</c> (<c>embeddings</c> [N, D]) or <c>.jsonl</c> with <c>text</c> and <c>embedding</c>.</summary>
internal static class VectorFiles
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Check(string path)
    {
        if (Path.GetExtension(path) is not (".npy" or ".safetensors" or ".jsonl"))
            throw new UsageException($"--output {path}: vectors are written as .npy, .safetensors or .jsonl; give a name that ends so.");
    }

    /// <summary>Takes the rows one by one: only safetensors needs them all at once.</summary>
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
                WriteSafetensors(path, [.. rows.Select(row => row.Vector)]);
                break;
        }
    }

    private static void WriteSafetensors(string path, float[][] vectors)
    {
        using var scope = NewDisposeScope();
        var matrix = zeros([vectors.Length, vectors.Length == 0 ? 0 : vectors[0].Length], float32);
        for (var i = 0; i < vectors.Length; i++)
            vectors[i].CopyTo(MemoryMarshal.Cast<byte, float>(matrix.bytes[(i * vectors[i].Length * sizeof(float))..]));
        SafetensorsFile.Write(path, [new("embeddings", matrix)]);
    }
}
