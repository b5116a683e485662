using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>Writes safetensors files.</summary>
internal static class SafetensorsWriter
{
    public static void Write(string path, List<KeyValuePair<string, Tensor>> entries, IReadOnlyDictionary<string, string>? metadata, ScalarType? floats)
    {
        var header = Header([.. entries.Select(entry => (entry.Key, entry.Value.shape, Stored(entry.Value.dtype, entry.Value.is_floating_point(), floats)))], metadata);
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

    public static void Copy(string path, ITensorSource source, IReadOnlyDictionary<string, string>? metadata, ScalarType? floats)
    {
        var entries = source.Tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal)
            .Select(tensor => (tensor.Key, tensor.Value.Shape, Type: Stored(TensorTypes.Read(tensor.Value.DType), tensor.Value.DType.Contains('F', StringComparison.Ordinal), floats))).ToList();
        var header = Header(entries, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (name, _, type) in entries)
            {
                using var tensor = source.Read(name, type);
                WriteValues(stream, tensor, null);
            }
        });
    }

    private static byte[] Header(List<(string Name, long[] Shape, ScalarType Type)> entries, IReadOnlyDictionary<string, string>? metadata)
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
            foreach (var (name, shape, type) in entries)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", TensorTypes.Name(type));
                json.WriteStartArray("shape");
                foreach (var extent in shape)
                    json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(position);
                json.WriteNumberValue(position += shape.Aggregate(1L, (product, size) => product * size) * TensorTypes.Size(TensorTypes.Name(type))!.Value);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static ScalarType Stored(ScalarType own, bool isFloat, ScalarType? floats) => floats is not null && isFloat ? floats.Value : own;

    private static unsafe void WriteValues(Stream stream, Tensor tensor, ScalarType? floats)
    {
        using var scope = NewDisposeScope();
        var values = tensor.detach().cpu().to(Stored(tensor.dtype, tensor.is_floating_point(), floats)).contiguous();
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
