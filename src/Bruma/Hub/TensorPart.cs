using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>How a tensor comes from a stored one.</summary>
public enum TensorForm
{
    /// <summary>As it is.</summary>
    Same,

    /// <summary>A stored 1x1 convolution [C, D, 1, 1] as the matrix [C, D] that it is.</summary>
    Matrix,

    /// <summary>A stored matrix [C, D] as a 1x1 convolution [C, D, 1, 1].</summary>
    Convolution,

    /// <summary>A stored matrix with its sides swapped.</summary>
    Transposed,

    /// <summary>A third of the rows: query, key or value of a stack.</summary>
    Third,

    /// <summary>Three stored tensors, one above the other.</summary>
    Stack,
}

/// <summary>Where a tensor comes from.</summary>
/// <param name="Stored">The stored name; of a stack the three names.</param>
/// <param name="Index">Of a third: 0, 1 or 2.</param>
public sealed record TensorPart(IReadOnlyList<string> Stored, TensorForm Form = TensorForm.Same, int Index = 0)
{
    public TensorPart(string stored, TensorForm form = TensorForm.Same, int index = 0)
        : this([stored], form, index)
    {
    }

    internal TensorInfo Describe(TensorInfo stored) => stored with
    {
        Shape = Form switch
        {
            TensorForm.Matrix => stored.Shape is [var rows, var columns, 1, 1] ? [rows, columns] : stored.Shape,
            TensorForm.Convolution => [.. stored.Shape, 1, 1],
            TensorForm.Transposed => [.. stored.Shape.Reverse()],
            TensorForm.Third => [stored.Shape[0] / 3, .. stored.Shape[1..]],
            TensorForm.Stack => [3 * stored.Shape[0], .. stored.Shape[1..]],
            _ => stored.Shape,
        },
    };

    internal Tensor Read(ITensorSource source, ScalarType? dtype)
    {
        using var scope = NewDisposeScope();
        var stored = source.Read(Stored[0], dtype);
        var result = Form switch
        {
            TensorForm.Matrix or TensorForm.Convolution => stored.reshape(Describe(source.Tensors[Stored[0]]).Shape),
            TensorForm.Transposed => stored.t().contiguous(),
            TensorForm.Third => stored.narrow(0, Index * (stored.shape[0] / 3), stored.shape[0] / 3).clone(),
            TensorForm.Stack => cat([stored, source.Read(Stored[1], dtype), source.Read(Stored[2], dtype)]),
            _ => stored,
        };
        return result.MoveToOuterDisposeScope();
    }
}

/// <summary>Stored tensors under other names and in other forms; the file stays its owner's unless said otherwise.</summary>
internal sealed class DerivedTensors : ITensorSource
{
    private readonly ITensorSource _source;
    private readonly Dictionary<string, TensorPart> _parts;
    private readonly bool _owns;

    /// <param name="parts">By the new name. Those whose stored tensors are missing are left out.</param>
    /// <param name="owns">Whether the source is disposed with this one.</param>
    public DerivedTensors(ITensorSource source, IReadOnlyDictionary<string, TensorPart> parts, string? origin = null, bool owns = false)
    {
        (_source, Origin, _owns) = (source, origin ?? source.Origin, owns);
        _parts = parts.Where(part => part.Value.Stored.All(source.Tensors.ContainsKey)).ToDictionary(StringComparer.Ordinal);
        Tensors = _parts.ToDictionary(part => part.Key, part => part.Value.Describe(source.Tensors[part.Value.Stored[0]]), StringComparer.Ordinal);
    }

    public string Origin { get; }

    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    public Tensor Read(string name, ScalarType? dtype = null) =>
        _parts.TryGetValue(name, out var part) && Tensors.ContainsKey(name) ? part.Read(_source, dtype) : throw new BrumaException($"{Origin}: it has no tensor for \"{name}\".");

    public void Dispose()
    {
        if (_owns)
            _source.Dispose();
    }
}
