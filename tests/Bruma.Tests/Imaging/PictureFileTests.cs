using Bruma.Imaging;
using SkiaSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Imaging;

public sealed class PictureFileTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("bruma-png-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_png_keeps_its_pixels_and_its_texts_under_any_name()
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(_root, "picture.jpg"); // a lying extension
        var image = randint(0, 256, [3, 7, 5], uint8, generator: new Generator(1, CPU));
        PngFile.Write(path, image, new Dictionary<string, string> { ["parameters"] = "Steps: 3", ["comment"] = "gato ☕" });
        Assert.True(ImageFile.Load(path).eq(image).all().item<bool>());
        var texts = PngFile.ReadText(path);
        Assert.Equal("Steps: 3", texts["parameters"]);
        Assert.Equal("gato ☕", texts["comment"]);
    }

    [Fact]
    public void A_cut_off_picture_is_an_error_that_names_it()
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(_root, "half.png");
        PngFile.Write(path, randint(0, 256, [3, 64, 64], uint8));
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..4000]);
        Assert.Contains("half.png", Assert.Throws<BrumaException>(() => ImageFile.Load(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_animation_holds_every_frame_without_loss()
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(_root, "a.webp");
        var frames = Enumerable.Range(0, 4).Select(i => randint(0, 256, [3, 9, 12], uint8, generator: new Generator((ulong)i, CPU))).ToList();
        AnimatedWebp.Write(path, frames, 50);
        using var codec = SKCodec.Create(path);
        Assert.Equal(4, codec.FrameCount);
        Assert.Equal(50, codec.FrameInfo[1].Duration);
        using var bitmap = new SKBitmap(new SKImageInfo(12, 9, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        codec.GetPixels(bitmap.Info, bitmap.GetPixels(), new SKCodecOptions(2));
        Assert.Equal(frames[2][0, 4, 6].item<byte>(), bitmap.GetPixel(6, 4).Red);
    }
}
