using System.Buffers.Binary;
using System.Text;

namespace Bruma.Imaging;

/// <summary>Texts that programs leave in pictures: PNG's text chunks; of JPEG and WebP the EXIF comment, under the name <c>parameters</c>.</summary>
public static class PictureText
{
    private const string Comment = "parameters"; // where A1111 puts it in a PNG
    private const ushort ExifPointer = 0x8769;
    private const ushort UserComment = 0x9286;

    /// <exception cref="BrumaException">The file cannot be read.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BrumaException($"{path}: cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
        if (file is [0x89, (byte)'P', (byte)'N', (byte)'G', ..])
            return PngFile.ReadText(path);
        var exif = file is [0xFF, 0xD8, ..] ? OfJpeg(file) : file.Length > 12 && file.AsSpan(8).StartsWith("WEBP"u8) ? OfWebp(file) : [];
        return FromExif(exif) is { } comment ? new Dictionary<string, string>(StringComparer.Ordinal) { [Comment] = comment } : new Dictionary<string, string>();
    }

    /// <summary>The TIFF structure of the first EXIF segment; empty for none.</summary>
    private static ReadOnlySpan<byte> OfJpeg(ReadOnlySpan<byte> file)
    {
        for (var at = 2; at + 4 <= file.Length && file[at] == 0xFF && file[at + 1] != 0xDA;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (file[at + 1] == 0xE1 && at + 2 + length <= file.Length && file.Slice(at + 4, length - 2).StartsWith("Exif\0\0"u8))
                return file.Slice(at + 10, length - 8);
            at += 2 + length;
        }
        return [];
    }

    private static ReadOnlySpan<byte> OfWebp(ReadOnlySpan<byte> file)
    {
        for (var at = 12; at + 8 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(file[(at + 4)..]);
            if (length < 0 || at + 8 + (long)length > file.Length)
                break;
            if (file[at..].StartsWith("EXIF"u8))
            {
                var data = file.Slice(at + 8, length);
                return data.StartsWith("Exif\0\0"u8) ? data[6..] : data;
            }
            at += 8 + length + length % 2;
        }
        return [];
    }

    private static string? FromExif(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8)
            return null;
        var big = tiff[0] == 'M';
        return Entry(tiff, Number(tiff, 4, 4, big), ExifPointer, big) is { } pointer && Entry(tiff, Number(tiff, pointer + 8, 4, big), UserComment, big) is { } comment
            ? Text(tiff, Number(tiff, comment + 8, 4, big), Number(tiff, comment + 4, 4, big), big)
            : null;
    }

    /// <summary>Where the entry of a tag begins; null when the directory has none.</summary>
    private static long? Entry(ReadOnlySpan<byte> tiff, long directory, ushort tag, bool big)
    {
        var count = Number(tiff, directory, 2, big);
        for (var i = 0; i < count; i++)
            if (Number(tiff, directory + 2 + 12 * i, 2, big) == tag)
                return directory + 2 + 12 * i;
        return null;
    }

    /// <summary>The first 8 bytes name the encoding; UNICODE is UTF-16 in the order of the file, or, as some write it, big-endian always.</summary>
    private static string? Text(ReadOnlySpan<byte> tiff, long start, long length, bool big)
    {
        if (start < 0 || length < 8 || start + length > tiff.Length)
            return null;
        var code = tiff.Slice((int)start, 8);
        var data = tiff.Slice((int)start + 8, (int)length - 8);
        if (!code.StartsWith("UNICODE"u8))
            return Encoding.UTF8.GetString(data).TrimEnd('\0');
        var bigEndian = data.Length > 1 && data[0] == 0 || data is not [_, 0, ..] && big;
        return (bigEndian ? Encoding.BigEndianUnicode : Encoding.Unicode).GetString(data).TrimEnd('\0');
    }

    private static long Number(ReadOnlySpan<byte> tiff, long at, int size, bool big)
    {
        if (at < 0 || at + size > tiff.Length)
            return 0;
        var bytes = tiff.Slice((int)at, size);
        return size == 2
            ? big ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes)
            : big ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }
}
