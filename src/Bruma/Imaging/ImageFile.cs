using SkiaSharp;
using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>Decodes PNG, JPEG, WebP and GIF (first frame) by content, whatever the file is called.</summary>
public static class ImageFile
{
    public static readonly IReadOnlyList<string> Extensions = [".png", ".jpg", ".jpeg", ".webp", ".gif"];

    /// <summary>A small file may claim any size: beyond this it is taken for an attack, as PIL does.</summary>
    private const long MostPixels = 178_000_000;

    /// <returns>uint8 [3, H, W], upright by its EXIF orientation; transparency over white.</returns>
    /// <exception cref="BrumaException">The file is missing, no picture, or cut off.</exception>
    public static Tensor Load(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BrumaException($"{path}: cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
        return Decode(bytes, path);
    }

    /// <summary>The same for a file in memory.</summary>
    /// <param name="path">What to call it in messages.</param>
    public static Tensor Decode(byte[] bytes, string path)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data) ?? throw new BrumaException($"{path}: no picture that can be decoded (PNG, JPEG, WebP or GIF); replace or remove it.");
        if ((long)codec.Info.Width * codec.Info.Height > MostPixels)
            throw new BrumaException($"{path}: claims {codec.Info.Width}x{codec.Info.Height} pixels, more than the {MostPixels / 1_000_000} million that are decoded; replace or remove it.");
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        using var bitmap = new SKBitmap(info);
        var result = codec.GetPixels(info, bitmap.GetPixels());
        if (result != SKCodecResult.Success)
            throw new BrumaException($"{path}: the picture is damaged or cut off ({result}); replace or remove it.");
        return Upright(ToTensor(bitmap), codec.EncodedOrigin);
    }

    private static unsafe Tensor ToTensor(SKBitmap bitmap)
    {
        var (width, height) = (bitmap.Width, bitmap.Height);
        var tensor = empty([3, height, width], uint8);
        var target = (byte*)TensorMemory.Address(tensor);
        var source = (byte*)bitmap.GetPixels();
        for (var i = 0; i < width * height; i++)
        {
            var alpha = source[4 * i + 3];
            for (var c = 0; c < 3; c++)
                target[c * width * height + i] = alpha == 255 ? source[4 * i + c] : (byte)((source[4 * i + c] * alpha + 255 * (255 - alpha) + 127) / 255);
        }
        return tensor;
    }

    private static Tensor Upright(Tensor image, SKEncodedOrigin origin)
    {
        if (origin == SKEncodedOrigin.TopLeft)
            return image;
        using var scope = NewDisposeScope();
        var turned = origin switch
        {
            SKEncodedOrigin.TopRight => image.flip(2),
            SKEncodedOrigin.BottomRight => image.flip(1, 2),
            SKEncodedOrigin.BottomLeft => image.flip(1),
            SKEncodedOrigin.LeftTop => image.transpose(1, 2),
            SKEncodedOrigin.RightTop => image.transpose(1, 2).flip(2),
            SKEncodedOrigin.RightBottom => image.transpose(1, 2).flip(1, 2),
            _ => image.transpose(1, 2).flip(1),
        };
        var result = turned.contiguous().MoveToOuterDisposeScope();
        image.Dispose();
        return result;
    }
}
