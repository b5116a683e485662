namespace Bruma.Hub;

/// <summary>A Python tuple; lists are <see cref="List{T}"/>, numbers long, BigInteger or double, bytes byte[].</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A Python dictionary in insertion order. Keys may be anything; only strings and integers become parts of names.</summary>
internal sealed class PickleDictionary
{
    private readonly List<(object? Key, object? Value)> _items = [];

    /// <summary>Items given as a list of pairs, as Python 2 wrote ordered dictionaries.</summary>
    public List<object?>? Pairs { get; init; }

    public IEnumerable<(object? Key, object? Value)> Items => _items.Concat((Pairs ?? []).Select(Pair));

    public void Add(object? key, object? value) => _items.Add((key, value));

    private static (object? Key, object? Value) Pair(object? pair) => pair switch
    {
        PickleTuple { Items: [var key, var value] } => (key, value),
        List<object?> and [var key, var value] => (key, value),
        _ => (null, null),
    };
}

/// <summary>A class or function that the pickle names. It is only ever a name: nothing is looked up or called.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>An instance of a class that means nothing to a tensor file, such as a training callback. Whatever is done to it has no effect.</summary>
internal sealed record PickleOpaque(PickleGlobal Class);

/// <summary>A reference to a block of values outside the pickle.</summary>
/// <param name="Type">Element type as safetensors spells it; null for raw bytes, whose type stands with the tensor.</param>
/// <param name="Count">Elements, or bytes for raw ones.</param>
/// <param name="ViewOffset">First element within the block (only old files have views of blocks).</param>
internal sealed record PickleStorage(string Key, string? Type, long Count, long ViewOffset = 0);

/// <summary>A tensor over a storage; offset and strides in elements.</summary>
internal sealed record PickleTensor(PickleStorage Storage, string Type, long Offset, long[] Shape, long[] Strides);
