using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>A read-only file of which parts are read when they are asked for. It is not mapped: pages that are touched one by one cost more than the copy, and count as the process's memory.</summary>
internal sealed class StoredFile : IDisposable
{
    private const int Part = 4 << 20; // bytes that are converted at a time: they stay in the processor's cache
    private const int Most = 1 << 30; // bytes of one read

    private readonly SafeFileHandle _file;
    private readonly string _path;

    /// <exception cref="BrumaException">The file is missing, empty or not readable.</exception>
    public StoredFile(string path)
    {
        _path = path;
        try
        {
            _file = File.OpenHandle(path);
            Length = RandomAccess.GetLength(_file); // of what a link points to
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BrumaException($"{path}: no such file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            _file?.Dispose();
            throw new BrumaException($"{path}: cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
        if (Length > 0)
            return;
        _file.Dispose();
        throw new BrumaException($"{path}: the file is empty; download or copy it again.");
    }

    public long Length { get; }

    /// <summary>Bytes at an offset; the caller has checked that they lie within the file.</summary>
    public byte[] Bytes(long offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - count);
        var bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>Reads a tensor's values and converts them.</summary>
    /// <param name="dtype">The wanted type; null for the stored one, or the next wider where libtorch lacks it.</param>
    public Tensor Read(StoredTensor stored, ScalarType? dtype)
    {
        using var scope = NewDisposeScope();
        if (stored.Offset < 0 || stored.Bytes > Length - stored.Offset)
            throw new ArgumentOutOfRangeException(nameof(stored));
        var type = stored.Info.DType;
        var values = empty([stored.Span], dtype ?? TensorTypes.Read(type), device: CPU);
        if (values.dtype == TensorTypes.Of(type) && !StoredValues.AreWidened(type))
            Fill(values, stored.Offset);
        else
            Convert(stored, values);
        return (stored.Strides is null || stored.Info.Count == 0 ? values.reshape(stored.Info.Shape) : values.as_strided(stored.Info.Shape, stored.Strides).contiguous()).MoveToOuterDisposeScope();
    }

    public void Dispose() => _file.Dispose();

    private void Convert(StoredTensor stored, Tensor values)
    {
        using var scope = NewDisposeScope();
        var type = stored.Info.DType;
        var size = TensorTypes.Size(type)!.Value;
        var part = empty([Math.Min(Part / size, stored.Span)], TensorTypes.Read(type), device: CPU);
        for (var first = 0L; first < stored.Span; first += Part / size)
        {
            using var own = NewDisposeScope();
            var count = Math.Min(Part / size, stored.Span - first);
            var target = part.narrow(0, 0, count);
            if (StoredValues.AreWidened(type))
                StoredValues.Widen(Bytes(stored.Offset + first * size, (int)count * size), target, type);
            else
                Fill(target, stored.Offset + first * size);
            if (type == "U64" && target.min().item<long>() < 0)
                throw new BrumaException($"{_path}: a tensor of type U64 has values above 2^63 - 1, the largest that can be computed with.");
            values.narrow(0, first, count).copy_(target);
        }
    }

    /// <summary>Reads values as they are stored.</summary>
    private unsafe void Fill(Tensor values, long offset)
    {
        var (address, bytes) = (TensorMemory.Address(values), values.numel() * values.element_size());
        for (var first = 0L; first < bytes; first += Most)
            Read(offset + first, new Span<byte>((void*)(address + (nint)first), (int)Math.Min(Most, bytes - first)));
    }

    private void Read(long offset, Span<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int count;
            try
            {
                count = RandomAccess.Read(_file, bytes, offset);
            }
            catch (IOException e)
            {
                throw new BrumaException($"{_path}: cannot be read ({e.Message.TrimEnd('.')}).", e);
            }
            if (count == 0)
                throw new BrumaException($"{_path}: became shorter while it was read, {offset} bytes instead of {Length}; wait until it is complete.");
            bytes = bytes[count..];
            offset += count;
        }
    }
}
