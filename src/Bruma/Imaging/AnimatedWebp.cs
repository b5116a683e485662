using System.Buffers.Binary;
using System.Text;
using Bruma.Hub;
using SkiaSharp;
using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>Frames as one lossless animated WebP, which browsers show.</summary>
/// <remarks>RIFF container of https://developers.google.com/speed/webp/docs/riff_container: VP8X, ANIM, then ANMF around each encoded frame.</remarks>
public static class AnimatedWebp
{
    /// <param name="frames">uint8 [1 or 3, H, W], of one size.</param>
    /// <param name="milliseconds">Time of a frame; the last stays ten times as long.</param>
    public static void Write(string path, IReadOnlyList<Tensor> frames, int milliseconds)
    {
        var (height, width) = ((int)frames[0].shape[1], (int)frames[0].shape[2]);
        using var body = new MemoryStream();
        body.Write("WEBP"u8);
        Span<byte> header = stackalloc byte[10];
        header[0] = 0x02; // animation
        Put24(header[4..], width - 1);
        Put24(header[7..], height - 1);
        Chunk(body, "VP8X", header);
        Chunk(body, "ANIM", [255, 255, 255, 255, 0, 0]); // white background, endless
        for (var i = 0; i < frames.Count; i++)
            Chunk(body, "ANMF", Frame(frames[i], (width, height), i == frames.Count - 1 ? 10 * milliseconds : milliseconds));
        AtomicFile.Write(path, stream => Chunk(stream, "RIFF", body.ToArray()));
    }

    private static byte[] Frame(Tensor image, (int Width, int Height) size, int milliseconds)
    {
        var file = PngFile.Encode(image, SKEncodedImageFormat.Webp);
        var frame = new byte[16 + file.Length - 12]; // without the file's own RIFF header
        Put24(frame.AsSpan(6), size.Width - 1);
        Put24(frame.AsSpan(9), size.Height - 1);
        Put24(frame.AsSpan(12), milliseconds);
        frame[15] = 0x02; // do not blend
        file.AsSpan(12).CopyTo(frame.AsSpan(16));
        return frame;
    }

    private static void Chunk(Stream stream, string name, ReadOnlySpan<byte> data)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, data.Length);
        stream.Write(Encoding.ASCII.GetBytes(name));
        stream.Write(length);
        stream.Write(data);
        if (data.Length % 2 == 1)
            stream.WriteByte(0);
    }

    private static void Put24(Span<byte> target, int value) => (target[0], target[1], target[2]) = ((byte)value, (byte)(value >> 8), (byte)(value >> 16));
}
