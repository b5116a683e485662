namespace Bruma.Hub;

/// <summary>Where a tensor's values lie in a file.</summary>
/// <param name="Offset">Byte offset of the first element.</param>
/// <param name="Strides">In elements; null for row-major.</param>
internal sealed record StoredTensor(TensorInfo Info, long Offset, long[]? Strides = null)
{
    private const int MaxDimensions = 64; // as many as libtorch and NumPy have

    /// <summary>Elements from the first to the last, both included.</summary>
    public long Span { get; } = Strides is null || Info.Count == 0 ? Info.Count : 1 + Info.Shape.Zip(Strides, (size, stride) => (size - 1) * stride).Sum();

    public long Bytes => Span * TensorTypes.Size(Info.DType)!.Value;

    /// <summary>What is wrong with the extents or strides of a file, in words; null when nothing is. They can be multiplied without overflow then.</summary>
    public static string? Problem(long[] shape, long[]? strides = null)
    {
        if (shape.Length > MaxDimensions)
            return $"has {shape.Length} dimensions, more than {MaxDimensions}";
        if (strides is not null && strides.Length != shape.Length)
            return $"has {shape.Length} extents but {strides.Length} strides";
        var (elements, span) = (Int128.One, Int128.One);
        for (var i = 0; i < shape.Length; i++)
        {
            if (shape[i] < 0 || strides?[i] < 0)
                return $"has the negative {(shape[i] < 0 ? $"extent {shape[i]}" : $"stride {strides![i]}")}";
            elements *= Math.Max(shape[i], 1);
            span += (Int128)Math.Max(shape[i] - 1, 0) * (strides?[i] ?? 0);
            if (elements > long.MaxValue / 16 || span > long.MaxValue / 16)
                return $"has the impossible shape [{string.Join(", ", shape)}]";
        }
        return null;
    }
}
