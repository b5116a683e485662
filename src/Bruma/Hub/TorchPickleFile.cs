using System.Buffers.Binary;
using System.Numerics;
using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>A file of <c>torch.save</c> (<c>.bin</c>, <c>.ckpt</c>, <c>.pt</c>), in the zip format or the stream format of torch before 1.6, read without executing anything.</summary>
/// <remarks>https://docs.pytorch.org/docs/stable/notes/serialization.html. Names of nested dictionaries are joined with dots; values that are no tensors are skipped.
/// A tensor's values are read when asked for.</remarks>
public sealed class TorchPickleFile : ITensorSource
{
    private const long MaxPickleBytes = 64 << 20; // names and shapes only; values lie outside
    private const long SpareBytes = 64 << 20;
    private const int Reuse = 16; // tensors may share storages (tied weights), but not multiply the file at will
    private static readonly BigInteger LegacyMagic = BigInteger.Parse("1950a86a20f9469cfc6c", System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);

    private readonly Dictionary<string, StoredTensor> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly StoredFile _file;

    /// <exception cref="BrumaException">The file is missing, damaged, malicious or of another format.</exception>
    public TorchPickleFile(string path)
    {
        Origin = path;
        _file = new StoredFile(path);
        try
        {
            if (_file.Length >= 4 && _file.Bytes(0, 4) is [(byte)'P', (byte)'K', 3, 4])
                OpenArchive();
            else
                OpenLegacy();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Origin { get; }

    /// <summary>The texts beside the tensors of the outermost dictionary, such as the name in a textual inversion of A1111.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _texts;

    public IReadOnlyDictionary<string, TensorInfo> Tensors => field ??= _entries.ToDictionary(e => e.Key, e => e.Value.Info, StringComparer.Ordinal);

    public Tensor Read(string name, ScalarType? dtype = null) => _entries.TryGetValue(name, out var entry) ? _file.Read(entry, dtype) : throw Bad($"it has no tensor \"{name}\"");

    public void Dispose() => _file.Dispose();

    private void OpenArchive()
    {
        var archive = new TorchArchive(_file, Origin);
        var pickles = archive.Names.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal)).ToList();
        if (pickles.Count != 1)
            throw Bad($"it is a zip file with {pickles.Count} records data.pkl where a torch file has 1");
        var folder = pickles[0][..^"data.pkl".Length];
        if (archive.Names.Contains($"{folder}constants.pkl"))
            throw Bad("it is a TorchScript program, not a file of weights; save the module's state_dict with torch.save");
        if (archive.Names.Contains($"{folder}byteorder") && archive.Record($"{folder}byteorder") is { Length: 3 })
            throw Bad("its values are big-endian; save it again on a little-endian machine");

        var (offset, length) = archive.Record(pickles[0]);
        if (length > MaxPickleBytes)
            throw Bad($"its pickle has {length} bytes, far more than names and shapes need");
        using var stream = new MemoryStream(_file.Bytes(offset, (int)length), writable: false);
        var root = new PickleReader(stream, Origin).Read();
        AddTensors(root, storage => archive.Record($"{folder}data/{storage.Key}"));
    }

    private void OpenLegacy()
    {
        using var stream = new MemoryStream(_file.Bytes(0, (int)Math.Min(_file.Length, MaxPickleBytes)), writable: false);
        if (Next() is not BigInteger magic || magic != LegacyMagic || Next() is not 1001L)
            throw Bad("it is a pickle but none of torch.save; save the tensors with torch.save or as safetensors");
        if (Next() is PickleDictionary system && system.Items.Any(item => item is ("little_endian", false)))
            throw Bad("its values are big-endian; save it again on a little-endian machine");

        var body = new PickleReader(stream, Origin);
        var root = body.Read();
        if (Next() is not List<object?> keys)
            throw Bad("the list of its storages is missing; it is damaged, download it again");
        var blocks = Blocks(keys, body.Storages, stream.Position);
        AddTensors(root, storage => blocks.TryGetValue(storage.Key, out var block) ? block : throw Bad($"the storage \"{storage.Key}\" is missing; it is damaged, download it again"));

        object? Next() => new PickleReader(stream, Origin).Read();
    }

    /// <summary>The values follow the pickles in the order of the keys, each block behind its number of elements.</summary>
    private Dictionary<string, (long Offset, long Length)> Blocks(List<object?> keys, Dictionary<string, PickleStorage> storages, long position)
    {
        var blocks = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            if (key is not string name || !storages.TryGetValue(name, out var storage) || storage.Type is null)
                throw Bad($"its storage \"{key}\" has no type; it is damaged, download it again");
            var count = position <= _file.Length - 8 ? BinaryPrimitives.ReadInt64LittleEndian(_file.Bytes(position, 8)) : -1;
            position += 8;
            var size = TensorTypes.Size(storage.Type)!.Value;
            if (count < 0 || count > (_file.Length - position) / size)
                throw Bad($"its storage \"{name}\" reaches beyond the end of the file; it is truncated, download it again");
            blocks[name] = (position, count * size);
            position += count * size;
        }
        return blocks;
    }

    private void AddTensors(object? root, Func<PickleStorage, (long Offset, long Length)> locate)
    {
        var tensors = new PickleTensors(Origin);
        foreach (var (key, value) in (root as PickleDictionary)?.Items ?? [])
            if (key is string name && value is string text)
                _texts[name] = text;
        if (!tensors.Collect(root))
            throw Bad(root is PickleOpaque instance
                ? $"it holds a whole {instance.Class} instead of named tensors; save its state_dict with torch.save"
                : "it holds no tensors");
        Int128 total = 0;
        foreach (var (name, tensor) in tensors.Found)
        {
            var entry = Place(name, tensor, locate(tensor.Storage));
            total += (Int128)entry.Info.Count * TensorTypes.Size(tensor.Type)!.Value;
            if (total > (Int128)_file.Length * Reuse + SpareBytes)
                throw Bad($"its tensors would need more than {Reuse} times the file's {_file.Length} bytes (\"{name}\" is {entry.Info}); it is damaged or malicious");
            _entries.Add(name, entry);
        }
    }

    private StoredTensor Place(string name, PickleTensor tensor, (long Offset, long Length) block)
    {
        var size = TensorTypes.Size(tensor.Type)!.Value;
        var storageBytes = (Int128)tensor.Storage.Count * (tensor.Storage.Type is null ? 1 : TensorTypes.Size(tensor.Storage.Type)!.Value);
        var viewStart = (Int128)tensor.Storage.ViewOffset * size;
        if (tensor.Storage.Count < 0 || viewStart < 0 || viewStart >= storageBytes && viewStart > 0 || storageBytes != block.Length)
            throw Bad($"the storage of tensor \"{name}\" should have {storageBytes} bytes but has {block.Length}; it is damaged, download it again");
        if (StoredTensor.Problem(tensor.Shape, tensor.Strides) is { } problem)
            throw Bad($"tensor \"{name}\" {problem}");

        var info = new TensorInfo(tensor.Type, tensor.Shape);
        var start = viewStart + (Int128)tensor.Offset * size;
        var entry = new StoredTensor(info, 0, IsRowMajor(tensor) ? null : tensor.Strides);
        if (tensor.Offset < 0 || info.Count > 0 && start + entry.Bytes > storageBytes)
            throw Bad($"tensor \"{name}\" {info} reaches beyond its storage of {storageBytes} bytes; it is damaged or malicious");
        return entry with { Offset = block.Offset + (info.Count == 0 ? 0 : (long)start) };
    }

    private static bool IsRowMajor(PickleTensor tensor)
    {
        var expected = 1L;
        for (var i = tensor.Shape.Length - 1; i >= 0; expected *= tensor.Shape[i--])
            if (tensor.Shape[i] != 1 && tensor.Strides[i] != expected)
                return false;
        return true;
    }

    private BrumaException Bad(string found) => new($"{Origin}: {found}.");
}
