using System.Text.Json;
using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>A checkpoint in several files: the <c>weight_map</c> of its <c>*.index.json</c> says which tensor lies in which.</summary>
public sealed class ShardedCheckpoint : ITensorSource
{
    private const long MaxIndexBytes = 32 << 20; // some 300,000 tensors

    private readonly Dictionary<string, ITensorSource> _shards = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ITensorSource> _owners = new(StringComparer.Ordinal);

    /// <param name="index">The index file; its shards lie in the same folder or below it.</param>
    /// <exception cref="BrumaException">The index is malformed, or a shard or a tensor is missing.</exception>
    public ShardedCheckpoint(string index)
    {
        Origin = index;
        try
        {
            if (new FileInfo(index) is { Exists: true, Length: > MaxIndexBytes and var length })
                throw new BrumaException($"{index}: has {length} bytes, far more than the index of a checkpoint needs.");
            using var json = PythonJson.ParseFile(index);
            if (!json.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
                throw new BrumaException($"{index}: has no \"weight_map\"; it is not the index of a checkpoint.");
            foreach (var entry in map.EnumerateObject())
                Add(entry.Name, entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : throw new BrumaException($"{index}: tensor \"{entry.Name}\" is mapped to {entry.Value.GetRawText()} instead of a file name."));
            Tensors = _owners.ToDictionary(owner => owner.Key, owner => owner.Value.Tensors[owner.Key], StringComparer.Ordinal);
        }
        catch (InvalidOperationException e) // a name that is no text
        {
            Dispose();
            throw new BrumaException($"{index}: is not readable ({e.Message.TrimEnd('.')}); download it again.", e);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Origin { get; }

    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    public IReadOnlyDictionary<string, string> Metadata => _shards.Values.FirstOrDefault()?.Metadata ?? new Dictionary<string, string>();

    public Tensor Read(string name, ScalarType? dtype = null) =>
        _owners.TryGetValue(name, out var owner) ? owner.Read(name, dtype) : throw new BrumaException($"{Origin}: it has no tensor \"{name}\".");

    public void Dispose()
    {
        foreach (var shard in _shards.Values)
            shard.Dispose();
    }

    private void Add(string name, string file)
    {
        if (!_shards.TryGetValue(file, out var shard))
            _shards.Add(file, shard = OpenShard(name, file));
        if (!shard.Tensors.ContainsKey(name))
            throw new BrumaException($"{Origin}: says that tensor \"{name}\" lies in {file}, but it is not there; download both again.");
        if (!_owners.TryAdd(name, shard))
            throw new BrumaException($"{Origin}: lists tensor \"{name}\" twice.");
    }

    private ITensorSource OpenShard(string name, string file)
    {
        var folder = Path.GetFullPath(Path.GetDirectoryName(Path.GetFullPath(Origin))!);
        if (file.Length == 0 || file.Contains('\0', StringComparison.Ordinal) || Path.IsPathRooted(file) || file.Split('/', '\\').Contains(".."))
            throw new BrumaException($"{Origin}: maps tensor \"{name}\" to \"{file}\", which lies outside its folder; the file may be malicious, nothing was read.");
        var path = Path.Combine(folder, file);
        if (!File.Exists(path))
            throw new BrumaException($"{Origin}: needs the file {file} for tensor \"{name}\", which is not in {folder}; download it too.");
        if (file.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            throw new BrumaException($"{Origin}: maps tensor \"{name}\" to {file}, which is no file of weights.");
        return CheckpointFile.Open(path);
    }
}
