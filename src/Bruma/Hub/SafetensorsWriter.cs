using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>Writes safetensors files.</summary>
internal static class SafetensorsWriter
{
    public static void Write(string path, List<KeyValuePair<string, Tensor>> entries, IReadOnlyDictionary<string, string>? metadata, ScalarType? floats)
    {
        var header = Header(entries, metadata, floats);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (_, tensor) in entries)
                WriteValues(stream, tensor, floats);
        });
    }

    private static byte[] Header(List<KeyValuePair<string, Tensor>> entries, IReadOnlyDictionary<string, string>? metadata, ScalarType? floats)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            var position = 0L;
            foreach (var (name, tensor) in entries)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", TensorTypes.Name(Stored(tensor, floats)));
                json.WriteStartArray("shape");
                foreach (var extent in tensor.shape)
                    json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(position);
                json.WriteNumberValue(position += tensor.numel() * TensorTypes.Size(TensorTypes.Name(Stored(tensor, floats)))!.Value);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static ScalarType Stored(Tensor tensor, ScalarType? floats) => floats is not null && tensor.is_floating_point() ? floats.Value : tensor.dtype;

    private static unsafe void WriteValues(Stream stream, Tensor tensor, ScalarType? floats)
    {
        using var scope = NewDisposeScope();
        var values = tensor.detach().cpu().to(Stored(tensor, floats)).contiguous();
        var start = (byte*)TensorMemory.Address(values);
        for (long left = values.numel() * values.ElementSize, at = 0; left > 0;)
        {
            var part = (int)Math.Min(left, 1 << 24);
            stream.Write(new ReadOnlySpan<byte>(start + at, part));
            at += part;
            left -= part;
        }
    }
}
