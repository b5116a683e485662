using System.Text.Json;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Kind <c>image</c>: resizing as PIL does it.</summary>
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

    /// <summary>At most the tolerance per value, and the mean difference below <c>mean_tolerance</c>.</summary>
    private static void Close(GoldenCase golden, CaseReport report, string name, Tensor actual, Tensor expected)
    {
        report.Compare(name, actual, expected);
        if (golden.Spec.TryGetProperty("mean_tolerance", out JsonElement mean) && (actual - expected).abs().mean().item<float>() is var difference && difference > mean.GetDouble())
            report.Fail($"{name}: differs by {difference} on average, allowed {mean.GetDouble()}");
    }
}
