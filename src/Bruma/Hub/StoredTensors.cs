using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>Reads tensors of a safetensors file into ones that exist already.</summary>
public static class StoredTensors
{
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
