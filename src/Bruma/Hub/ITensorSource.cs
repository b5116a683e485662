using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>Named tensors of a checkpoint, read one at a time, whatever the file format.</summary>
public interface ITensorSource : IDisposable
{
    /// <summary>The file or folder, for messages.</summary>
    string Origin { get; }

    /// <summary>Every tensor's name, type and shape, without reading its values.</summary>
    IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Text metadata of the file; empty where the format has none.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads one tensor into new memory, in its stored type or converted to <paramref name="dtype"/>.</summary>
    Tensor Read(string name, ScalarType? dtype = null);
}

/// <summary>Type (as safetensors spells it: F32, BF16, I64, ...) and shape of a stored tensor.</summary>
public sealed record TensorInfo(string DType, long[] Shape)
{
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);

    public override string ToString() => $"{DType} [{string.Join(", ", Shape)}]";
}
