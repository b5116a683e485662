using System.Buffers.Binary;
using System.Text;

namespace Bruma.Hub;

/// <summary>Where the records of a torch archive lie: a zip file whose records are stored as they are, so that they can be read in place.</summary>
/// <remarks>PKWARE APPNOTE 6.3.10, with its 64-bit extension. Nothing is unpacked; compressed or encrypted records, which torch never writes, are refused.</remarks>
internal sealed class TorchArchive
{
    private const int EndLength = 22, MaxComment = 65535;
    private const long MaxDirectory = 64 << 20;

    private readonly Dictionary<string, (long Header, long Length)> _records = new(StringComparer.Ordinal);
    private readonly StoredFile _file;
    private readonly string _origin;

    public TorchArchive(StoredFile file, string origin)
    {
        (_file, _origin) = (file, origin);
        var (start, length) = Directory();
        if (start < 0 || length < 0 || length > MaxDirectory || start > file.Length - length)
            throw Bad("its zip directory lies outside the file; it is truncated or damaged, download it again");
        Parse(file.Bytes(start, (int)length));
    }

    public IEnumerable<string> Names => _records.Keys;

    /// <summary>Where a record's bytes are.</summary>
    /// <exception cref="BrumaException">There is no such record, or it reaches out of the file.</exception>
    public (long Offset, long Length) Record(string name)
    {
        if (!_records.TryGetValue(name, out var record))
            throw Bad($"it refers to the record \"{name}\", which is missing; the file is damaged, download it again");
        if (record.Header < 0 || record.Header > _file.Length - 30)
            throw Bad($"the record \"{name}\" begins outside the file; it is damaged, download it again");
        var header = _file.Bytes(record.Header, 30);
        if (Int(header, 0) != 0x04034b50)
            throw Bad($"the record \"{name}\" is not where the zip directory says; the file is damaged, download it again");
        var offset = record.Header + 30 + Short(header, 26) + Short(header, 28);
        if (offset > _file.Length - record.Length)
            throw Bad($"the record \"{name}\" reaches beyond the end of the file; it is truncated, download it again");
        return (offset, record.Length);
    }

    private (long Start, long Length) Directory()
    {
        var tail = (int)Math.Min(_file.Length, EndLength + MaxComment);
        var bytes = _file.Bytes(_file.Length - tail, tail);
        for (var at = tail - EndLength; at >= 0; at--)
        {
            if (Int(bytes, at) != 0x06054b50)
                continue;
            var (length, start) = ((long)Int(bytes, at + 12), (long)Int(bytes, at + 16));
            return start == uint.MaxValue || length == uint.MaxValue ? Directory64(_file.Length - tail + at - 20) : (start, length);
        }
        throw Bad("it begins like a zip file but has no directory at its end; the file is truncated, download it again");
    }

    private (long Start, long Length) Directory64(long locator)
    {
        if (locator >= 0 && _file.Bytes(locator, 20) is var found && Int(found, 0) == 0x07064b50 && Long(found, 8) is >= 0 and var end && end <= _file.Length - 56)
            if (_file.Bytes(end, 56) is var record && Int(record, 0) == 0x06064b50)
                return (Long(record, 48), Long(record, 40));
        throw Bad("the 64-bit directory of the zip file is missing; the file is truncated, download it again");
    }

    private void Parse(byte[] directory)
    {
        for (var at = 0; at < directory.Length;)
        {
            if (at > directory.Length - 46 || Int(directory, at) != 0x02014b50)
                throw Bad("its zip directory is damaged; download the file again");
            var (nameLength, extraLength, commentLength) = (Short(directory, at + 28), Short(directory, at + 30), Short(directory, at + 32));
            var next = at + 46 + nameLength + extraLength + commentLength;
            if (next > directory.Length)
                throw Bad("its zip directory is damaged; download the file again");
            var name = Encoding.UTF8.GetString(directory, at + 46, nameLength);
            Add(name, directory.AsSpan(at, 46), directory.AsSpan(at + 46 + nameLength, extraLength));
            at = next;
        }
    }

    private void Add(string name, ReadOnlySpan<byte> entry, ReadOnlySpan<byte> extra)
    {
        if (name.StartsWith('/') || name.Contains('\\', StringComparison.Ordinal) || name.Split('/').Contains(".."))
            throw Bad($"its record \"{name}\" climbs out of the archive; the file may be malicious, do not use it");
        if (Short(entry, 10) != 0 || (Short(entry, 8) & 1) != 0)
            throw Bad($"its record \"{name}\" is compressed or encrypted, which torch never writes; save the file again with torch.save");
        long packed = Int(entry, 20), length = Int(entry, 24), header = Int(entry, 42);
        Extend(extra, ref length, ref packed, ref header);
        if (packed != length || length < 0)
            throw Bad($"its record \"{name}\" has {packed} bytes but announces {length}; the file is damaged, download it again");
        if (!_records.TryAdd(name, (header, length)))
            throw Bad($"its record \"{name}\" stands twice in the zip directory");
    }

    /// <summary>64-bit values stand in an extra field, in this order, where the 32-bit ones are at their limit.</summary>
    private static void Extend(ReadOnlySpan<byte> extra, ref long length, ref long packed, ref long header)
    {
        for (; extra.Length >= 4; extra = extra[Math.Min(extra.Length, 4 + Short(extra, 2))..])
        {
            if (Short(extra, 0) != 1)
                continue;
            var values = extra[4..Math.Min(extra.Length, 4 + Short(extra, 2))];
            Next(ref values, ref length);
            Next(ref values, ref packed);
            Next(ref values, ref header);
            return;
        }

        static void Next(ref ReadOnlySpan<byte> values, ref long value)
        {
            if (value != uint.MaxValue || values.Length < 8)
                return;
            value = Long(values, 0);
            values = values[8..];
        }
    }

    private static int Short(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint Int(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private BrumaException Bad(string found) => new($"{_origin}: {found}.");
}
