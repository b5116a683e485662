using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>A read-only, memory-mapped file: pages come and go with the operating system, so its size does not matter.</summary>
internal sealed class MappedFile : IDisposable
{
    private const long SmallestToLetGo = 1 << 20;
    private const int DontNeed = 4; // MADV_DONTNEED: pages of the file stay in the system's cache

    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly string _path;

    /// <exception cref="BrumaException">The file is missing, empty or not readable.</exception>
    public MappedFile(string path)
    {
        _path = path;
        try
        {
            using (var file = File.OpenHandle(path))
                Length = RandomAccess.GetLength(file); // of what a link points to
            if (Length == 0)
                throw new BrumaException($"{path}: the file is empty; download or copy it again.");
            _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            _view = _map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BrumaException($"{path}: no such file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            _map?.Dispose();
            throw new BrumaException($"{path}: cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
    }

    public long Length { get; }

    /// <summary>Bytes at an offset; the caller has checked that they lie within the file.</summary>
    public byte[] Bytes(long offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - count);
        var bytes = new byte[count];
        if (_view.ReadArray(offset, bytes, 0, count) != count)
            throw new EndOfStreamException();
        return bytes;
    }

    public Stream Stream(long offset, long length) => length == 0 ? System.IO.Stream.Null : _map.CreateViewStream(offset, length, MemoryMappedFileAccess.Read);

    /// <summary>Copies a tensor's values out of the file and converts them.</summary>
    /// <param name="dtype">The wanted type; null for the stored one, or the next wider where libtorch lacks it.</param>
    public unsafe Tensor Read(StoredTensor stored, ScalarType? dtype)
    {
        using var scope = NewDisposeScope();
        if (stored.Offset < 0 || stored.Bytes > Length - stored.Offset)
            throw new ArgumentOutOfRangeException(nameof(stored));
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Tensor values;
        try
        {
            values = StoredValues.Copy(start + stored.Offset, stored.Span, stored.Info.DType);
        }
        finally
        {
            LetGo((nint)start + (nint)stored.Offset, stored.Bytes);
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
        if (stored.Info.DType == "U64" && stored.Span > 0 && values.min().item<long>() < 0)
            throw new BrumaException($"{_path}: a tensor of type U64 has values above 2^63 - 1, the largest that can be computed with.");
        values = stored.Strides is null || stored.Info.Count == 0 ? values.reshape(stored.Info.Shape) : values.as_strided(stored.Info.Shape, stored.Strides).contiguous();
        return (dtype is null ? values : values.to(dtype.Value)).MoveToOuterDisposeScope();
    }

    /// <summary>What was copied is not needed in the process any more: a checkpoint counts once in its memory, not twice.</summary>
    private static void LetGo(nint address, long bytes)
    {
        if (!OperatingSystem.IsLinux() || bytes < SmallestToLetGo)
            return;
        var page = (nint)Environment.SystemPageSize;
        var first = address / page * page;
        _ = Advise(first, (nuint)(address + bytes - first), DontNeed);

        [DllImport("libc", EntryPoint = "madvise")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        static extern int Advise(nint address, nuint length, int advice);
    }

    public void Dispose()
    {
        _view.Dispose();
        _map.Dispose();
    }
}
