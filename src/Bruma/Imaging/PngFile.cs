using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Bruma.Hub;
using SkiaSharp;
using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>PNG with text chunks; equal pictures and texts give equal bytes.</summary>
public static class PngFile
{
    private const int SignatureAndHeader = 8 + 25; // the signature and the IHDR chunk, after which text may stand
    private const int LongestText = 1 << 20;

    /// <param name="path">Target, written beside and renamed.</param>
    /// <param name="image">uint8 [1 or 3, H, W].</param>
    /// <param name="text">Keywords (at most 79 Latin-1 characters) and texts.</param>
    public static void Write(string path, Tensor image, IReadOnlyDictionary<string, string>? text = null)
    {
        var png = ToBytes(image, text);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    /// <summary>The bytes that <see cref="Write"/> writes.</summary>
    public static byte[] ToBytes(Tensor image, IReadOnlyDictionary<string, string>? text = null)
    {
        var png = Encode(image, SKEncodedImageFormat.Png);
        var chunks = (text ?? new Dictionary<string, string>()).SelectMany(pair => TextChunk(pair.Key, pair.Value));
        return [.. png.AsSpan(0, SignatureAndHeader), .. chunks.ToArray(), .. png.AsSpan(SignatureAndHeader)];
    }

    /// <summary>The texts of a PNG file (tEXt, zTXt and iTXt).</summary>
    public static IReadOnlyDictionary<string, string> ReadText(string path)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        ReadOnlySpan<byte> png = File.ReadAllBytes(path);
        for (var at = 8; at + 12 <= png.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png[at..]);
            if (length < 0 || at + 12 + length > png.Length)
                break;
            var type = Encoding.ASCII.GetString(png.Slice(at + 4, 4));
            var data = png.Slice(at + 8, length);
            var split = data.IndexOf((byte)0);
            if (type == "tEXt" && split > 0)
                texts[Encoding.Latin1.GetString(data[..split])] = Encoding.Latin1.GetString(data[(split + 1)..]);
            else if (type == "zTXt" && split > 0)
                texts[Encoding.Latin1.GetString(data[..split])] = Encoding.Latin1.GetString(Inflate(data[(split + 2)..]));
            else if (type == "iTXt" && split > 0 && split + 3 < data.Length && AfterZeros(data[(split + 3)..], 2) is var content)
                texts[Encoding.Latin1.GetString(data[..split])] = Encoding.UTF8.GetString(data[split + 1] == 0 ? content : Inflate(content));
            at += 12 + length;
        }
        return texts;
    }

    internal static unsafe byte[] Encode(Tensor image, SKEncodedImageFormat format)
    {
        using var scope = NewDisposeScope();
        var (height, width) = ((int)image.shape[1], (int)image.shape[2]);
        var pixels = image.cpu().expand(3, height, width).permute(1, 2, 0).contiguous(); // [H, W, 3]
        var source = (byte*)TensorMemory.Address(pixels);
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var target = (byte*)bitmap.GetPixels();
        for (var i = 0; i < width * height; i++)
        {
            for (var c = 0; c < 3; c++)
                target[4 * i + c] = source[3 * i + c];
            target[4 * i + 3] = 255;
        }
        using var pixmap = bitmap.PeekPixels();
        using var data = format == SKEncodedImageFormat.Webp
            ? pixmap.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 75))
            : pixmap.Encode(format, 100);
        return data!.ToArray();
    }

    private static byte[] TextChunk(string keyword, string value)
    {
        var latin = value.All(character => character <= 0xFF);
        byte[] data = latin
            ? [.. Encoding.Latin1.GetBytes(keyword), 0, .. Encoding.Latin1.GetBytes(value)]
            : [.. Encoding.Latin1.GetBytes(keyword), 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(value)];
        var chunk = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        Encoding.ASCII.GetBytes(latin ? "tEXt" : "iTXt").CopyTo(chunk, 4);
        data.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc32.Of(chunk.AsSpan(4, 4 + data.Length)));
        return chunk;
    }

    /// <summary>A compressed text, of which only as much is read as a text may have.</summary>
    private static ReadOnlySpan<byte> Inflate(ReadOnlySpan<byte> data)
    {
        var buffer = new byte[LongestText];
        try
        {
            using var stream = new ZLibStream(new MemoryStream(data.ToArray()), CompressionMode.Decompress);
            return buffer.AsSpan(0, stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false));
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }

    private static ReadOnlySpan<byte> AfterZeros(ReadOnlySpan<byte> data, int count)
    {
        for (; count > 0; count--)
            data = data[(data.IndexOf((byte)0) + 1)..];
        return data;
    }
}
