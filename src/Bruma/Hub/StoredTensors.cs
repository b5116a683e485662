using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>Reads all that a safetensors file of known content has.</summary>
public static class StoredTensors
{
    /// <summary>The tensors of a file in a cache; null where it is not there, or damaged: then they are made again.</summary>
    internal static IReadOnlyDictionary<string, Tensor>? Find(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            using var stored = new SafetensorsFile(path);
            return stored.Tensors.Keys.ToDictionary(name => name, name => stored.Read(name), StringComparer.Ordinal);
        }
        catch (BrumaException)
        {
            return null;
        }
    }

    /// <summary>Reads values into tensors that exist already.</summary>
    /// <exception cref="BrumaException">A name is missing or a shape differs.</exception>
    public static void Into(string path, IEnumerable<KeyValuePair<string, Tensor>> targets)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var stored = new SafetensorsFile(path);
        foreach (var (name, values) in targets)
        {
            using var part = NewDisposeScope();
            var read = stored.Read(name, values.dtype);
            if (!read.shape.SequenceEqual(values.shape))
                throw new BrumaException($"{path}: {name} has the shape [{string.Join(", ", read.shape)}] where the network has [{string.Join(", ", values.shape)}]; the checkpoint belongs to another network.");
            values.copy_(read);
        }
    }
}
