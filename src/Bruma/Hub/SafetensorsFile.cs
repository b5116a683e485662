using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>A safetensors file: an 8-byte length, a JSON header, then the values, little-endian and row-major.</summary>
/// <remarks>https://github.com/huggingface/safetensors. The header is checked in full when the file is opened; values are read when asked for.</remarks>
public sealed class SafetensorsFile : ITensorSource
{
    private const long MaxHeaderBytes = 100_000_000; // the limit of the reference implementation

    private readonly Dictionary<string, StoredTensor> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly StoredFile _file;
    private readonly long _dataStart;

    /// <exception cref="BrumaException">The file is missing, truncated or not a valid safetensors file.</exception>
    public SafetensorsFile(string path)
    {
        Origin = path;
        _file = new StoredFile(path);
        try
        {
            if (_file.Length < 8)
                throw Bad($"the file has {_file.Length} bytes, fewer than the 8 of a safetensors header length; download it again");
            var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(_file.Bytes(0, 8));
            if (headerLength > (ulong)Math.Min(MaxHeaderBytes, _file.Length - 8))
                throw Bad($"its header claims {headerLength} bytes but the file has {_file.Length}; it is truncated or not a safetensors file");
            _dataStart = 8 + (long)headerLength;
            ParseHeader(_file.Bytes(8, (int)headerLength));
            CheckLayout(_file.Length - _dataStart);
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

    public Tensor Read(string name, ScalarType? dtype = null) => _entries.TryGetValue(name, out var entry) ? _file.Read(entry, dtype) : throw Bad($"it has no tensor \"{name}\"");

    public void Dispose() => _file.Dispose();

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
        catch (JsonException e)
        {
            throw Bad($"its header is not valid JSON at byte {8 + e.BytePositionInLine}; it is damaged or not a safetensors file");
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw Bad($"its header is not readable ({e.Message.Split('\n')[0].TrimEnd('.')}); it is damaged or not a safetensors file");
        }
    }

    private StoredTensor ParseEntry(JsonProperty property)
    {
        var dtype = property.Value.GetProperty("dtype").GetString() ?? "";
        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets");
        if (offsets.GetArrayLength() != 2)
            throw Bad($"tensor \"{property.Name}\" has {offsets.GetArrayLength()} data offsets, not 2");
        var (begin, end) = (offsets[0].GetInt64(), offsets[1].GetInt64());

        if (TensorTypes.Size(dtype) is not { } size)
            throw Bad($"tensor \"{property.Name}\" has the unknown type \"{dtype}\"");
        if (StoredTensor.Problem(shape) is { } problem)
            throw Bad($"tensor \"{property.Name}\" {problem}");
        var info = new TensorInfo(dtype, shape);
        var expected = info.Count * size;
        if (begin < 0 || end < begin || expected != end - begin)
            throw Bad($"tensor \"{property.Name}\" {dtype} [{string.Join(", ", shape)}] needs {expected} bytes but its data offsets are {begin} to {end}");
        return new StoredTensor(info, _dataStart + begin);
    }

    /// <summary>The values must fill the rest of the file without holes or overlaps, as the format demands.</summary>
    private void CheckLayout(long dataLength)
    {
        var position = 0L;
        foreach (var (name, entry) in _entries.OrderBy(e => e.Value.Offset).ThenBy(e => e.Value.Bytes))
        {
            var (begin, end) = (entry.Offset - _dataStart, entry.Offset - _dataStart + entry.Bytes);
            if (end > dataLength)
                throw Bad($"tensor \"{name}\" ends at byte {end} of its data, but only {dataLength} are there; the file is truncated");
            if (begin != position)
                throw Bad($"tensor \"{name}\" begins at byte {begin} of its data where {position} was expected; the offsets overlap or leave a hole");
            position = end;
        }
        if (position != dataLength)
            throw Bad($"its header describes {position} bytes of data but the file has {dataLength}");
    }

    private BrumaException Bad(string found) => new($"{Origin}: {found}.");

    /// <summary>Writes tensors in the given order (any layout, any device) beside the target and renames, so that no half-written file is ever seen.</summary>
    /// <param name="floats">The type in which floating-point tensors are stored; null for their own.</param>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null, ScalarType? floats = null) =>
        SafetensorsWriter.Write(path, [.. tensors], metadata, floats);

    /// <summary>Writes all tensors of a source, in alphabetical order and one at a time: memory for the largest is enough.</summary>
    /// <param name="floats">The type in which floating-point tensors are stored; null for their own.</param>
    public static void Copy(string path, ITensorSource source, IReadOnlyDictionary<string, string>? metadata = null, ScalarType? floats = null) =>
        SafetensorsWriter.Copy(path, source, metadata, floats);
}
