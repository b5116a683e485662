using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Bruma.Hub;

/// <summary>Interprets the data part of Python's pickle language (protocols 0 to 5): it builds plain values and executes nothing.</summary>
/// <remarks>https://github.com/python/cpython/blob/main/Lib/pickletools.py. What calls and classes stand for is decided by <see cref="TorchGlobals"/>; anything else is refused.
/// Work and memory are bounded by the number of operations and by the stream's length.</remarks>
internal sealed class PickleReader(Stream stream, string origin)
{
    private const int MaxOperations = 5_000_000; // some 140,000 tensors
    private const int MaxLine = 1024;

    private static readonly object Mark = new();

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
                var code = (char)Byte();
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
            case '\x80': Byte(); break; // PROTO
            case '\x95': Take(8); break; // FRAME
            case 'N': Push(null); break;
            case '\x88': Push(true); break;
            case '\x89': Push(false); break;
            case 'J': Push((object)(long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case 'K': Push((object)(long)Byte()); break;
            case 'M': Push((object)(long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case 'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case 'F': Push(double.Parse(Line(), System.Globalization.CultureInfo.InvariantCulture)); break;
            case 'I': Push(Line() switch { "00" => false, "01" => true, var number => (object)long.Parse(number, System.Globalization.CultureInfo.InvariantCulture) }); break;
            case 'L': Push(long.Parse(Line().TrimEnd('L'), System.Globalization.CultureInfo.InvariantCulture)); break;
            case '\x8a': Push(Long(Byte())); break;
            case '\x8b': Push(Long(BinaryPrimitives.ReadInt32LittleEndian(Take(4)))); break;
            default: return false;
        }
        return true;
    }

    private bool Text(char code)
    {
        switch (code)
        {
            case 'X': Push(Utf8(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case '\x8c': Push(Utf8(Byte())); break;
            case '\x8d': Push(Utf8(BinaryPrimitives.ReadUInt64LittleEndian(Take(8)))); break;
            case 'V': Push(Line()); break;
            case 'S': Push(Line().Trim('\'', '"')); break;
            case 'U': Push(Latin1(Byte())); break; // a string of Python 2
            case 'T': Push(Latin1(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case 'C': Push(Take(Byte())); break;
            case 'B': Push(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case '\x8e' or '\x96': Push(Take(BinaryPrimitives.ReadUInt64LittleEndian(Take(8)))); break;
            default: return false;
        }
        return true;
    }

    private bool Memo(char code)
    {
        switch (code)
        {
            case 'p': _memo[long.Parse(Line(), System.Globalization.CultureInfo.InvariantCulture)] = Peek(); break;
            case 'q': _memo[Byte()] = Peek(); break;
            case 'r': _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek(); break;
            case '\x94': _memo[_memo.Count] = Peek(); break;
            case 'g': Push(Remembered(long.Parse(Line(), System.Globalization.CultureInfo.InvariantCulture))); break;
            case 'h': Push(Remembered(Byte())); break;
            case 'j': Push(Remembered(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
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
            case 'c': var module = Line(); Push(TorchGlobals.Named(module, Line(), origin)); break;
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

    private byte Byte() => stream.ReadByte() is >= 0 and var value ? (byte)value : throw new EndOfStreamException();

    private byte[] Take(ulong count)
    {
        if (count > (ulong)(stream.Length - stream.Position)) // before memory is taken for a length that is only claimed
            throw new EndOfStreamException();
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private string Utf8(ulong count) => Encoding.UTF8.GetString(Take(count));

    private string Latin1(ulong count) => Encoding.Latin1.GetString(Take(count));

    private BigInteger Long(int count) => count is >= 0 and <= 255 ? new BigInteger(Take((ulong)count)) : throw new FormatException($"an integer of {count} bytes");

    /// <summary>Integers are long where they fit.</summary>
    private void Push(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue)
            Push((object)(long)value);
        else
            Push((object)value);
    }

    private string Line()
    {
        var text = new List<byte>();
        for (byte next; (next = Byte()) != '\n';)
        {
            if (text.Count == MaxLine)
                throw new FormatException($"a line longer than {MaxLine} bytes");
            text.Add(next);
        }
        return Encoding.UTF8.GetString([.. text]);
    }

    private BrumaException Bad(string found) => new($"{origin}: {found}.");
}
