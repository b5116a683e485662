using System.Globalization;

namespace Bruma.Hub;

/// <summary>Collects the tensors of an unpickled value: the path of keys, joined with dots, is the name; everything else is skipped.</summary>
internal sealed class PickleTensors(string origin)
{
    private const int MaxDepth = 64;
    private const long MaxNameCharacters = 20_000_000;

    private readonly HashSet<object> _open = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<object> _barren = new(ReferenceEqualityComparer.Instance); // containers known to hold no tensor: a file may refer to them a trillion times
    private long _nameCharacters;

    public Dictionary<string, PickleTensor> Found { get; } = new(StringComparer.Ordinal);

    /// <returns>Whether any tensor was found.</returns>
    public bool Collect(object? value, string name = "", int depth = 0)
    {
        if (value is PickleTensor tensor)
        {
            Add(name.Length == 0 ? "tensor" : name, tensor);
            return true;
        }
        if (value is not (PickleDictionary or List<object?> or PickleTuple) || _barren.Contains(value))
            return false;
        if (depth == MaxDepth)
            throw new BrumaException($"{origin}: its values are nested more than {MaxDepth} levels deep, which no checkpoint is.");
        if (!_open.Add(value))
            return false; // it contains itself

        var found = false;
        foreach (var (key, item) in Items(value))
            if ((key as string ?? (key as long?)?.ToString(CultureInfo.InvariantCulture)) is { } part && item is PickleTensor or PickleDictionary or List<object?> or PickleTuple)
                found |= Collect(item, Joined(name, part, depth), depth + 1);

        _open.Remove(value);
        if (!found)
            _barren.Add(value);
        return found;
    }

    private void Add(string name, PickleTensor tensor)
    {
        if (!Found.TryAdd(name, tensor))
            throw new BrumaException($"{origin}: two of its tensors have the name \"{name}\".");
    }

    private string Joined(string name, string part, int depth)
    {
        _nameCharacters += name.Length + part.Length + 1;
        if (_nameCharacters > MaxNameCharacters)
            throw new BrumaException($"{origin}: the names of its tensors have more than {MaxNameCharacters} characters together, far more than any checkpoint.");
        return depth == 0 ? part : $"{name}.{part}";
    }

    private static IEnumerable<(object? Key, object? Value)> Items(object value) => value switch
    {
        PickleDictionary dictionary => dictionary.Items,
        PickleTuple tuple => tuple.Items.Select((item, index) => ((object?)(long)index, item)),
        List<object?> list => list.Select((item, index) => ((object?)(long)index, item)),
        _ => [],
    };
}
