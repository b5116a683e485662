using Bruma.Imaging;
using Bruma.Vision;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Kind <c>image_features</c>: a pretrained image network on photos, crops or a pattern.</summary>
internal static class ImageFeatureKind
{
    public static void Run(GoldenCase golden, CaseReport report)
    {
        using var still = no_grad();
        using var network = EfficientNetLite0.Load(golden.PathOf(golden.Spec.GetProperty("model").GetString()!));
        if (golden.Spec.TryGetProperty("files", out var files))
            Photos(golden, report, network, stack([.. files.EnumerateArray().Select(file => network.Prepare(ImageFile.Load(golden.PathOf(file.GetString()!))))]));
        else
            Exact(golden, report, network, golden.Has("crops") ? network.Normalize(golden.Tensor("crops")) : Pattern(golden.Spec.GetProperty("pattern").GetProperty("scale").GetDouble(), network.Config.ImageSize));
    }

    private static void Exact(GoldenCase golden, CaseReport report, EfficientNetLite0 network, Tensor pixels)
    {
        var features = network.Features(pixels);
        var logits = network.Classify(features);
        report.Compare("features", features);
        report.Compare("logits", logits);
        var (values, indices) = logits.topk(5);
        report.Compare("top5_logits", values);
        report.CompareExact("top5", indices.data<long>().Select(index => (int)index), golden.Spec.GetProperty("top5").EnumerateArray().SelectMany(row => row.EnumerateArray().Select(index => index.GetInt32())));
    }

    /// <summary>JPEG decoders differ by a level here and there, which the network magnifies: pixels are compared closely, features by their direction.</summary>
    private static void Photos(GoldenCase golden, CaseReport report, EfficientNetLite0 network, Tensor pixels)
    {
        report.Compare("pixels_corner", pixels[.., .., ..8, ..8]);
        report.Compare("pixels_centre", pixels[.., .., 108..116, 108..116]);
        var features = network.Features(pixels);
        var cosine = nn.functional.cosine_similarity(features, golden.Tensor("features"), dim: 1).min().item<float>();
        if (cosine < golden.Spec.GetProperty("cosine_min").GetDouble())
            report.Fail($"features: the smallest cosine is {cosine}");
        var means = golden.Spec.GetProperty("pixel_mean").EnumerateArray().Select(mean => mean.GetDouble()).Zip(pixels.mean([1L, 2L, 3L]).data<float>(), (expected, found) => Math.Abs(expected - found)).Max();
        if (means > golden.Spec.GetProperty("pixel_mean_tolerance").GetDouble())
            report.Fail($"pixel_mean: differs by {means}");
        report.CompareExact("top1", network.Classify(features).argmax(1).data<long>().Select(index => (int)index), golden.Spec.GetProperty("top1").EnumerateArray().Select(index => index.GetInt32()));
    }

    private static Tensor Pattern(double scale, int size)
    {
        var x = arange(size, dtype: float64);
        return stack([.. Enumerable.Range(0, 3).Select(c => (scale * x.unsqueeze(1) / (11 + 3 * c)).cos() * (scale * x / 17 + c).sin())]).to(float32).unsqueeze(0);
    }
}
