using System.IO.Compression;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Data;

/// <summary>Pictures from anywhere: each one that cannot be used is named and left out, and nothing else happens.</summary>
public sealed class HostilePictureTests
{
    [Fact]
    public void Bombs_strips_loops_and_junk_are_skipped_by_name()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        PngFile.Write(folder["good.png"], full([3, 20, 20], 128, uint8));
        PngFile.Write(folder["strip.png"], full([3, 1, 3000], 128, uint8));
        File.WriteAllBytes(folder["bomb.png"], Png(60_000, 60_000));
        File.WriteAllText(folder["junk.jpg"], "no picture");
        File.WriteAllBytes(folder["empty.webp"], []);
        File.CreateSymbolicLink(folder["loop.gif"], "loop.gif");

        var source = new ImageFolder(folder.Root);
        using var images = TrainingImages.Load(source, 16);
        Assert.Equal(1, images.Count);
        foreach (var name in new[] { "strip.png", "bomb.png", "junk.jpg", "empty.webp", "loop.gif" })
            Assert.Single(images.Skipped, reason => reason.Contains(name, StringComparison.Ordinal));
        Assert.Equal(64, source.Sha256().Length);
    }

    /// <summary>A file of a hundred bytes that claims a size.</summary>
    private static byte[] Png(int width, int height)
    {
        using var data = new MemoryStream();
        using (var packed = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
            packed.Write(new byte[100]);
        byte[] header = [.. BigEndian(width), .. BigEndian(height), 8, 2, 0, 0, 0];
        return [0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n', .. Chunk("IHDR", header), .. Chunk("IDAT", data.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] named = [.. System.Text.Encoding.ASCII.GetBytes(type), .. data];
        return [.. BigEndian(data.Length), .. named, .. BigEndian((int)Crc32.Of(named))];
    }

    private static byte[] BigEndian(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}
