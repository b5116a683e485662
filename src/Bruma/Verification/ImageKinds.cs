using System.Text.Json;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Kinds <c>image</c> and <c>preprocess</c>: resizing as PIL does it, and the processors of models.</summary>
internal static class ImageKinds
{
    public static void Resize(GoldenCase golden, CaseReport report)
    {
        var image = golden.Tensor("image").permute(2, 0, 1).contiguous();
        foreach (var name in golden.Names().Where(name => name != "image"))
        {
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            if (!Enum.TryParse<ResampleFilter>(name[..dot], ignoreCase: true, out var filter))
                throw new UnknownCaseException($"unknown filter {name[..dot]}");
            var size = name[(dot + 1)..].Split('x');
            var (width, height) = (int.Parse(size[0], System.Globalization.CultureInfo.InvariantCulture), int.Parse(size[1], System.Globalization.CultureInfo.InvariantCulture));
            Close(golden, report, name, Resampling.Resize(image, width, height, filter).permute(1, 2, 0).to(float32), golden.Tensor(name).to(float32));
        }
    }

    public static void Preprocess(GoldenCase golden, CaseReport report)
    {
        var processors = new Dictionary<string, Func<Tensor, JsonElement, Tensor>>(StringComparer.Ordinal)
        {
            ["vae"] = (image, row) => VaeImages.Prepare(image, scaleFactor: golden.Spec.GetProperty("vae_scale_factor").GetInt32()),
            ["vae_sized"] = (image, row) => VaeImages.Prepare(image, (32, 24)),
            ["mask"] = (image, row) => VaeImages.PrepareMask(image, (32, 24)),
        };
        foreach (var name in new[] { "clip", "vit" }.Where(name => golden.Spec.TryGetProperty(name, out _)))
            processors[name] = (image, _) => ImageProcessor.Read($"{golden.Id} {name}", golden.Spec.GetProperty(name)).Apply(image);
        foreach (var row in golden.Spec.GetProperty("rows").EnumerateArray())
            foreach (var (name, process) in processors)
            {
                var key = $"{name}.{row.GetProperty("image").GetString()}";
                if (golden.Has(key))
                    Close(golden, report, key, process(Picture(golden.Tensor($"image.{row.GetProperty("image").GetString()}")), row), golden.Tensor(key));
            }
        if (golden.Has("decoded"))
            report.Compare("decoded_uint8", ImageTensor.ToBytes(golden.Tensor("decoded")).permute(1, 2, 0));
    }

    /// <summary>[H, W] or [H, W, C] to [C, H, W]; alpha is dropped.</summary>
    private static Tensor Picture(Tensor image)
    {
        var picture = (image.ndim == 2 ? image.unsqueeze(0) : image.permute(2, 0, 1)).to(uint8);
        return picture.narrow(0, 0, Math.Min(3, picture.shape[0])).contiguous();
    }

    /// <summary>At most the tolerance per value, and the mean difference below <c>mean_tolerance</c>.</summary>
    private static void Close(GoldenCase golden, CaseReport report, string name, Tensor actual, Tensor expected)
    {
        report.Compare(name, actual, expected);
        if (golden.Spec.TryGetProperty("mean_tolerance", out JsonElement mean) && (actual - expected).abs().mean().item<float>() is var difference && difference > mean.GetDouble())
            report.Fail($"{name}: differs by {difference} on average, allowed {mean.GetDouble()}");
    }
}
