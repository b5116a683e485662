using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>Keys and values of the tokens that a decoder has seen, so that each step computes only the new ones. Belongs to one generation.</summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly LayerCache[] _self;
    private readonly LayerCache[] _cross;

    public KeyValueCache(long layers)
    {
        _self = [.. Enumerable.Range(0, (int)layers).Select(_ => new LayerCache())];
        _cross = [.. Enumerable.Range(0, (int)layers).Select(_ => new LayerCache())];
    }

    /// <summary>How many positions are stored.</summary>
    public long Length => _self.Length == 0 ? 0 : _self[0].Length;

    public LayerCache Self(int layer) => _self[layer];

    /// <summary>Of the encoder's tokens, which do not grow.</summary>
    public LayerCache Cross(int layer) => _cross[layer];

    /// <summary>Makes row i the continuation of what was row rows[i].</summary>
    /// <param name="rows">[B'], integers.</param>
    public void Reorder(Tensor rows)
    {
        foreach (var layer in _self.Concat(_cross))
            layer.Reorder(rows);
    }

    public void Dispose()
    {
        foreach (var layer in _self.Concat(_cross))
            layer.Dispose();
    }
}

/// <summary>One layer's part of a <see cref="KeyValueCache"/>.</summary>
public sealed class LayerCache : IDisposable
{
    private Tensor? _key;
    private Tensor? _value;

    public long Length => _key?.shape[2] ?? 0;

    /// <summary>What is stored; owned by the cache. Null at the beginning.</summary>
    public (Tensor Key, Tensor Value)? Stored => _key is null ? null : (_key, _value!);

    /// <summary>Appends along the tokens.</summary>
    /// <param name="key">[B, N, T, d].</param>
    /// <param name="value">[B, N, T, d].</param>
    /// <returns>All keys and values, owned by the cache.</returns>
    public (Tensor Key, Tensor Value) Append(Tensor key, Tensor value)
    {
        Replace(ref _key, _key is null ? key.clone() : cat([_key, key], 2));
        Replace(ref _value, _value is null ? value.clone() : cat([_value, value], 2));
        return (_key!, _value!);
    }

    internal void Reorder(Tensor rows)
    {
        if (_key is null)
            return;
        Replace(ref _key, _key.index_select(0, rows));
        Replace(ref _value, _value!.index_select(0, rows));
    }

    public void Dispose()
    {
        _key?.Dispose();
        _value?.Dispose();
        (_key, _value) = (null, null);
    }

    private static void Replace(ref Tensor? stored, Tensor next)
    {
        stored?.Dispose();
        stored = next.DetachFromDisposeScope();
    }
}
