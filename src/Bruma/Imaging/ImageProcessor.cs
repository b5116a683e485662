using System.Text.Json;
using System.Text.Json.Serialization;
using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>Sizes as preprocessor configs write them: a short side, or height and width.</summary>
public sealed record ProcessorSize(int? ShortestEdge = null, int? Height = null, int? Width = null);

/// <summary>From a picture to the input of an image network, as <c>preprocessor_config.json</c> of transformers says: resize, centre crop, rescale, normalise.</summary>
/// <param name="Resample">PIL's number of the filter: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic.</param>
public sealed record ImageProcessor(
    bool DoResize = true,
    ProcessorSize? Size = null,
    int Resample = 2,
    bool DoCenterCrop = false,
    ProcessorSize? CropSize = null,
    bool DoRescale = true,
    double RescaleFactor = 1 / 255.0,
    bool DoNormalize = true,
    IReadOnlyList<double>? ImageMean = null,
    IReadOnlyList<double>? ImageStd = null) : ICheckedConfig
{
    /// <summary>Reads a config; keys that do not change the numbers are dropped.</summary>
    public static ImageProcessor Read(string origin, JsonElement json) => ConfigFile.Read(origin, json, ImageProcessorJson.Default.ImageProcessor, ConfigKind.Lenient);

    public void Check(ConfigCheck check) => check.OneOf("resample", Resample, 0, 1, 2, 3);

    /// <param name="image">uint8 [1 or 3, H, W]; gray becomes three equal channels.</param>
    /// <returns>fp32 [3, h, w].</returns>
    public Tensor Apply(Tensor image)
    {
        using var scope = NewDisposeScope();
        var x = image.shape[0] == 1 ? image.expand(3, image.shape[1], image.shape[2]).contiguous() : image;
        if (DoResize && Size is not null)
        {
            var (height, width) = Target(x);
            x = Resampling.Resize(x, width, height, Filter);
        }
        if (DoCenterCrop && CropSize is not null)
            x = CenterCrop(x, CropSize.Height ?? CropSize.ShortestEdge!.Value, CropSize.Width ?? CropSize.ShortestEdge!.Value);
        var values = DoRescale ? x.to(float32) * RescaleFactor : x.to(float32);
        if (DoNormalize && ImageMean is not null && ImageStd is not null)
            values = (values - Column(ImageMean)) / Column(ImageStd);
        return values.MoveToOuterDisposeScope();
    }

    private ResampleFilter Filter => Resample switch
    {
        0 => ResampleFilter.Nearest,
        1 => ResampleFilter.Lanczos,
        2 => ResampleFilter.Bilinear,
        _ => ResampleFilter.Bicubic,
    };

    /// <summary>With a short side given, the long one keeps the ratio, cut to an integer.</summary>
    private (int Height, int Width) Target(Tensor image)
    {
        var (height, width) = ((int)image.shape[1], (int)image.shape[2]);
        if (Size!.ShortestEdge is not { } edge)
            return (Size.Height!.Value, Size.Width!.Value);
        return height <= width ? (edge, (int)((long)edge * width / height)) : ((int)((long)edge * height / width), edge);
    }

    /// <summary>Cuts the middle; a picture that is too small gets a black border.</summary>
    private static Tensor CenterCrop(Tensor image, int height, int width)
    {
        var (top, left) = ((image.shape[1] - height) / 2, (image.shape[2] - width) / 2);
        if (image.shape[1] < height || image.shape[2] < width)
        {
            var (tall, wide) = (Math.Max(height, image.shape[1]), Math.Max(width, image.shape[2]));
            var (above, before) = ((tall - image.shape[1] + 1) / 2, (wide - image.shape[2] + 1) / 2);
            var bordered = zeros([image.shape[0], tall, wide], image.dtype);
            bordered.narrow(1, above, image.shape[1]).narrow(2, before, image.shape[2]).copy_(image);
            (image, top, left) = (bordered, (tall - height) / 2, (wide - width) / 2);
        }
        return image.narrow(1, top, height).narrow(2, left, width);
    }

    private static Tensor Column(IReadOnlyList<double> values) => tensor(values.Select(value => (float)value).ToArray()).reshape(-1, 1, 1);
}

/// <summary>Pictures and masks for an autoencoder, as diffusers' <c>VaeImageProcessor</c> prepares them: Lanczos to a multiple of the scale factor, [-1, 1].</summary>
public static class VaeImages
{
    /// <param name="image">uint8 [C, H, W].</param>
    /// <param name="size">Height and width; null rounds the picture's own down to multiples of the factor.</param>
    /// <returns>fp32 [3, h, w] in [-1, 1].</returns>
    public static Tensor Prepare(Tensor image, (int Height, int Width)? size = null, int scaleFactor = 8)
    {
        using var scope = NewDisposeScope();
        var (height, width) = Rounded(image, size, scaleFactor);
        var resized = Resampling.Resize(image, width, height, ResampleFilter.Lanczos);
        return ImageTensor.FromBytes(resized.expand(3, height, width)).MoveToOuterDisposeScope();
    }

    /// <param name="mask">uint8 [1, H, W], gray.</param>
    /// <returns>fp32 [1, h, w]: 1 where the gray is at least half white.</returns>
    public static Tensor PrepareMask(Tensor mask, (int Height, int Width)? size = null, int scaleFactor = 8)
    {
        using var scope = NewDisposeScope();
        var (height, width) = Rounded(mask, size, scaleFactor);
        return (Resampling.Resize(mask, width, height, ResampleFilter.Lanczos).to(float32) / 255 >= 0.5).to(float32).MoveToOuterDisposeScope();
    }

    private static (int Height, int Width) Rounded(Tensor image, (int Height, int Width)? size, int factor)
    {
        var (height, width) = size ?? ((int)image.shape[1], (int)image.shape[2]);
        return (height - height % factor, width - width % factor);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ImageProcessor))]
internal sealed partial class ImageProcessorJson : JsonSerializerContext;
