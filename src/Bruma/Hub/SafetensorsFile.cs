using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text.Json;
using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>A memory-mapped safetensors file: an 8-byte length, a JSON header, then the values, little-endian and row-major.</summary>
/// <remarks>https://github.com/huggingface/safetensors. The header is checked in full when the file is opened; values are copied when asked for.</remarks>
public sealed class SafetensorsFile : ITensorSource
{
    private const long MaxHeaderBytes = 100_000_000; // the limit of the reference implementation

    private readonly Dictionary<string, (TensorInfo Info, long Begin, long End)> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long _dataStart;

    /// <exception cref="BrumaException">The file is missing, truncated or not a valid safetensors file.</exception>
    public SafetensorsFile(string path)
    {
        Origin = path;
        if (!File.Exists(path))
            throw new BrumaException($"{path}: no such file.");
        var length = new FileInfo(path).Length;
        if (length < 8)
            throw Bad($"the file has {length} bytes, fewer than the 8 of a safetensors header length; download it again");

        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        try
        {
            var headerLength = _view.ReadUInt64(0);
            if (headerLength > (ulong)Math.Min(MaxHeaderBytes, length - 8))
                throw Bad($"its header claims {headerLength} bytes but the file has {length}; it is truncated or not a safetensors file");
            _dataStart = 8 + (long)headerLength;
            var header = new byte[headerLength];
            _view.ReadArray(8, header, 0, header.Length);
            ParseHeader(header);
            CheckLayout(length - _dataStart);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Origin { get; }

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public IReadOnlyDictionary<string, TensorInfo> Tensors => field ??= _entries.ToDictionary(e => e.Key, e => e.Value.Info, StringComparer.Ordinal);

    public Tensor Read(string name, ScalarType? dtype = null)
    {
        if (!_entries.TryGetValue(name, out var entry))
            throw Bad($"it has no tensor \"{name}\"");
        var stored = TensorTypes.Of(entry.Info.DType) ?? throw Bad($"tensor \"{name}\" has the type {entry.Info.DType}, which cannot be computed with");
        var tensor = empty(entry.Info.Shape, stored, device: CPU);
        CopyTo(tensor, _dataStart + entry.Begin);
        if (dtype is null || dtype == stored)
            return tensor;
        using (tensor)
            return tensor.to(dtype.Value);
    }

    public void Dispose()
    {
        _view.Dispose();
        _map.Dispose();
    }

    private unsafe void CopyTo(Tensor tensor, long offset)
    {
        var bytes = tensor.numel() * tensor.ElementSize;
        if (bytes == 0)
            return;
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            Buffer.MemoryCopy(start + offset, (void*)TensorMemory.Address(tensor), bytes, bytes);
        }
        finally
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    private void ParseHeader(byte[] header)
    {
        try
        {
            using var json = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 8 });
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw Bad("its header is no JSON object; it is not a safetensors file");
            foreach (var property in json.RootElement.EnumerateObject())
            {
                if (property.Name == "__metadata__")
                    foreach (var pair in property.Value.EnumerateObject())
                        _metadata[pair.Name] = pair.Value.GetString() ?? "";
                else if (!_entries.TryAdd(property.Name, ParseEntry(property)))
                    throw Bad($"tensor \"{property.Name}\" stands twice in its header");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw Bad($"its header is not readable ({e.Message.Split('\n')[0].TrimEnd('.')}); it is damaged or not a safetensors file");
        }
    }

    private (TensorInfo Info, long Begin, long End) ParseEntry(JsonProperty property)
    {
        var dtype = property.Value.GetProperty("dtype").GetString() ?? "";
        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets");
        if (offsets.GetArrayLength() != 2)
            throw Bad($"tensor \"{property.Name}\" has {offsets.GetArrayLength()} data offsets, not 2");
        var (begin, end) = (offsets[0].GetInt64(), offsets[1].GetInt64());

        if (TensorTypes.Size(dtype) is not { } size)
            throw Bad($"tensor \"{property.Name}\" has the unknown type \"{dtype}\"");
        Int128 expected = size;
        foreach (var extent in shape)
        {
            if (extent < 0)
                throw Bad($"tensor \"{property.Name}\" has the negative extent {extent}");
            expected = Int128.Min(expected * extent, long.MaxValue);
        }
        if (begin < 0 || end < begin || expected != end - begin)
            throw Bad($"tensor \"{property.Name}\" {dtype} [{string.Join(", ", shape)}] needs {expected} bytes but its data offsets are {begin} to {end}");
        return (new TensorInfo(dtype, shape), begin, end);
    }

    /// <summary>The values must fill the rest of the file without holes or overlaps, as the format demands.</summary>
    private void CheckLayout(long dataLength)
    {
        var position = 0L;
        foreach (var (name, entry) in _entries.OrderBy(e => e.Value.Begin).ThenBy(e => e.Value.End))
        {
            if (entry.End > dataLength)
                throw Bad($"tensor \"{name}\" ends at byte {entry.End} of its data, but only {dataLength} are there; the file is truncated");
            if (entry.Begin != position)
                throw Bad($"tensor \"{name}\" begins at byte {entry.Begin} of its data where {position} was expected; the offsets overlap or leave a hole");
            position = entry.End;
        }
        if (position != dataLength)
            throw Bad($"its header describes {position} bytes of data but the file has {dataLength}");
    }

    private BrumaException Bad(string found) => new($"{Origin}: {found}.");

    /// <summary>Writes tensors in the given order (values on the CPU, any layout) beside the target and renames, so that no half-written file is ever seen.</summary>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var entries = tensors.ToList();
        var header = Header(entries, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (_, tensor) in entries)
                WriteValues(stream, tensor);
        });
    }

    private static byte[] Header(List<KeyValuePair<string, Tensor>> entries, IReadOnlyDictionary<string, string>? metadata)
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
                json.WriteString("dtype", TensorTypes.Name(tensor.dtype));
                json.WriteStartArray("shape");
                foreach (var extent in tensor.shape)
                    json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(position);
                json.WriteNumberValue(position += tensor.numel() * tensor.ElementSize);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static unsafe void WriteValues(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var values = tensor.detach().cpu().contiguous();
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
