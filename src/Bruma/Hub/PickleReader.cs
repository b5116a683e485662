using System.Numerics;

namespace Bruma.Hub;

/// <summary>Interprets the data part of Python's pickle language (protocols 0 to 5): it builds plain values and executes nothing.</summary>
/// <remarks>https://github.com/python/cpython/blob/main/Lib/pickletools.py. What calls and classes stand for is decided by <see cref="TorchGlobals"/>; anything else is refused.
/// Work and memory are bounded by the number of operations and by the stream's length.</remarks>
internal sealed class PickleReader(Stream stream, string origin)
{
    private const int MaxOperations = 5_000_000; // some 140,000 tensors

    private static readonly object Mark = new();

    private readonly PickleBytes _bytes = new(stream);
    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];

    /// <summary>Every block of values that the pickle refers to, by key.</summary>
    public Dictionary<string, PickleStorage> Storages { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads one pickle up to its STOP; the stream then stands behind it.</summary>
    /// <exception cref="BrumaException">The pickle is damaged, or asks for something that a tensor file does not need.</exception>
    public object? Read()
    {
        try
        {
            for (var operation = 0; operation < MaxOperations; operation++)
            {
                var code = (char)_bytes.Byte();
                if (code == '.')
                    return Pop();
                if (!(Constant(code) || Text(code) || Memo(code) || Container(code) || Call(code)))
                    throw Bad($"its pickle holds the operation 0x{(int)code:x2}, which tensor files do not use");
            }
            throw Bad($"its pickle has more than {MaxOperations} operations, far more than tensors need");
        }
        catch (EndOfStreamException e)
        {
            throw new BrumaException($"{origin}: its pickle ends in the middle; the file is truncated, download it again.", e);
        }
        catch (Exception e) when (e is FormatException or InvalidCastException or ArgumentException or OverflowException)
        {
            throw new BrumaException($"{origin}: its pickle is damaged ({e.Message.Split('\n')[0].TrimEnd('.')}); download it again.", e);
        }
    }

    private bool Constant(char code)
    {
        switch (code)
        {
            case '\x80': _bytes.Byte(); break; // PROTO
            case '\x95': _bytes.Take(8); break; // FRAME
            case 'N': Push(null); break;
            case '\x88': Push(true); break;
            case '\x89': Push(false); break;
            case 'J': Push((object)(long)_bytes.Signed()); break;
            case 'K': Push((object)(long)_bytes.Byte()); break;
            case 'M': Push((object)(long)_bytes.Short()); break;
            case 'G': Push(_bytes.Double()); break;
            case 'F': Push(double.Parse(_bytes.Line(), System.Globalization.CultureInfo.InvariantCulture)); break;
            case 'I': Push(_bytes.Line() switch { "00" => false, "01" => true, var number => (object)long.Parse(number, System.Globalization.CultureInfo.InvariantCulture) }); break;
            case 'L': Push(_bytes.Decimal()); break;
            case '\x8a': Push(_bytes.Long(_bytes.Byte())); break;
            case '\x8b': Push(_bytes.Long(_bytes.Signed())); break;
            default: return false;
        }
        return true;
    }

    private bool Text(char code)
    {
        switch (code)
        {
            case 'X': Push(_bytes.Utf8(_bytes.Int())); break;
            case '\x8c': Push(_bytes.Utf8(_bytes.Byte())); break;
            case '\x8d': Push(_bytes.Utf8(_bytes.LongLength())); break;
            case 'V': Push(_bytes.Line()); break;
            case 'S': Push(_bytes.Line().Trim('\'', '"')); break;
            case 'U': Push(_bytes.Latin1(_bytes.Byte())); break; // a string of Python 2
            case 'T': Push(_bytes.Latin1(_bytes.Int())); break;
            case 'C': Push(_bytes.Take(_bytes.Byte())); break;
            case 'B': Push(_bytes.Take(_bytes.Int())); break;
            case '\x8e' or '\x96': Push(_bytes.Take(_bytes.LongLength())); break;
            default: return false;
        }
        return true;
    }

    private bool Memo(char code)
    {
        switch (code)
        {
            case 'p': _memo[_bytes.Decimal()] = Peek(); break;
            case 'q': _memo[_bytes.Byte()] = Peek(); break;
            case 'r': _memo[_bytes.Int()] = Peek(); break;
            case '\x94': _memo[_memo.Count] = Peek(); break;
            case 'g': Push(Remembered(_bytes.Decimal())); break;
            case 'h': Push(Remembered(_bytes.Byte())); break;
            case 'j': Push(Remembered(_bytes.Int())); break;
            case '(': Push(Mark); break;
            case '0': _ = _stack.Count > 0 && _stack[^1] == Mark ? PopMark() : Pop(); break;
            case '1': PopMark(); break;
            case '2': Push(Peek()); break;
            default: return false;
        }
        return true;
    }

    private bool Container(char code)
    {
        switch (code)
        {
            case ')': Push(new PickleTuple([])); break;
            case 't': Push(new PickleTuple(PopMark())); break;
            case '\x85': Push(new PickleTuple([Pop()])); break;
            case '\x86': Push(new PickleTuple(PopLast(2))); break;
            case '\x87': Push(new PickleTuple(PopLast(3))); break;
            case ']': Push(new List<object?>()); break;
            case 'l': Push(PopMark().ToList()); break;
            case 'a': Append(PopLast(1)); break;
            case 'e': Append(PopMark()); break;
            case '}': Push(new PickleDictionary()); break;
            case 'd': Push(new PickleDictionary()); SetItems(PopMark(keepTop: true)); break;
            case 's': SetItems(PopLast(2)); break;
            case 'u': SetItems(PopMark()); break;
            case '\x8f': Push(new List<object?>()); break; // sets are kept as lists
            case '\x90': Append(PopMark()); break;
            case '\x91': Push(PopMark().ToList()); break;
            default: return false;
        }
        return true;
    }

    private bool Call(char code)
    {
        switch (code)
        {
            case 'c': var module = _bytes.Line(); Push(TorchGlobals.Named(module, _bytes.Line(), origin)); break;
            case '\x93': var names = PopLast(2); Push(TorchGlobals.Named(As<string>(names[0]), As<string>(names[1]), origin)); break;
            case 'R' or '\x81': var call = PopLast(2); Push(TorchGlobals.Call(call[0], As<PickleTuple>(call[1]).Items, instance: code != 'R', origin)); break;
            case '\x92': var keyed = PopLast(3); Push(TorchGlobals.Call(keyed[0], As<PickleTuple>(keyed[1]).Items, instance: true, origin)); break;
            case 'b': Pop(); Peek(); break; // BUILD: the state of an object that means nothing here
            case 'Q': Push(Register(TorchGlobals.Storage(As<PickleTuple>(Pop()).Items, origin))); break;
            default: return false;
        }
        return true;
    }

    private void Append(object?[] items)
    {
        if (Peek() is List<object?> list)
            list.AddRange(items);
        else if (Peek() is not PickleOpaque)
            throw new FormatException("an append to something that is no list");
    }

    private void SetItems(object?[] items)
    {
        if (items.Length % 2 != 0)
            throw new FormatException("a key without value");
        if (Peek() is PickleOpaque)
            return;
        var dictionary = Peek() as PickleDictionary ?? throw new FormatException("an item for something that is no dictionary");
        for (var i = 0; i < items.Length; i += 2)
            dictionary.Add(items[i], items[i + 1]);
    }

    private PickleStorage Register(PickleStorage storage)
    {
        if (!Storages.TryAdd(storage.Key, storage) && Storages[storage.Key].Type != storage.Type)
            throw new FormatException($"storage {storage.Key} has two types");
        return storage;
    }

    private static T As<T>(object? value) where T : class => value as T ?? throw new FormatException($"{value?.GetType().Name ?? "nothing"} where {typeof(T).Name} was expected");

    private void Push(object? value) => _stack.Add(value);

    private object? Peek() => _stack.Count > 0 && _stack[^1] != Mark ? _stack[^1] : throw new FormatException("its stack is empty");

    private object? Pop()
    {
        var top = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private object?[] PopLast(int count)
    {
        var items = new object?[count];
        while (count > 0)
            items[--count] = Pop();
        return items;
    }

    /// <param name="keepTop">The value on top was pushed after the items and stays.</param>
    private object?[] PopMark(bool keepTop = false)
    {
        var top = keepTop ? Pop() : null;
        var mark = _stack.LastIndexOf(Mark);
        if (mark < 0)
            throw new FormatException("a mark is missing");
        var items = _stack.GetRange(mark + 1, _stack.Count - mark - 1).ToArray();
        _stack.RemoveRange(mark, _stack.Count - mark);
        if (keepTop)
            Push(top);
        return items;
    }

    private object? Remembered(long index) => _memo.TryGetValue(index, out var value) ? value : throw new FormatException($"nothing was stored under {index}");

    /// <summary>Integers are long where they fit.</summary>
    private void Push(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue)
            Push((object)(long)value);
        else
            Push((object)value);
    }

    private BrumaException Bad(string found) => new($"{origin}: {found}.");
}
