using System.Text.Json;
using Bruma.Metrics;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Kinds <c>feature_metrics</c>, <c>frechet</c>, <c>inception_score</c>, <c>memorisation</c>, <c>ssim_psnr</c> and <c>clip_score</c>.</summary>
internal static class MetricKinds
{
    private const int VendiRows = 60;

    public static void Features(GoldenCase golden, CaseReport report)
    {
        var (a, b, c) = (golden.Tensor("a"), golden.Tensor("b"), golden.Tensor("c"));
        void Number(string name, Func<double> value) => CompareNumber(golden, report, name, value);

        Number("fid", () => FrechetDistance.Between(a, b));
        Number("fid_close", () => FrechetDistance.Between(a, c));
        Number("fid_same", () => FrechetDistance.Between(a, a));
        Number("kid_full", () => KernelDistance.Polynomial(a, b));
        var subsets = KernelDistance.Polynomial(a, b, golden.Tensor("kid_index_a"), golden.Tensor("kid_index_b"));
        report.Compare("kid_subsets", subsets.Values, Numbers(golden.Spec.GetProperty("kid_subsets")));
        Number("kid_mean", () => subsets.Mean);
        Number("kid_std", () => subsets.Deviation);
        Neighbours(golden, report, "prdc", a, b);
        Neighbours(golden, report, "prdc_close", a, c);
        Number("vendi_cosine_first60", () => VendiScore.Of(a[..VendiRows]).Entropy);
        Number("rbf_mmd", () => KernelDistance.Gaussian(a, b, golden.Spec.GetProperty("rbf_sigma").GetDouble()));
        Number("cmmd", () => KernelDistance.Cmmd(a, b));
        Number("cmmd_close", () => KernelDistance.Cmmd(a, c));
    }

    public static void Frechet(GoldenCase golden, CaseReport report)
    {
        var (a, b) = (golden.Tensor("a"), golden.Tensor("b"));
        CompareNumber(golden, report, "fid", () => FrechetDistance.Between(a, b));
        CompareNumber(golden, report, "fid_one_vector", () => FrechetDistance.Between(a[..1].expand(a.shape), b));
    }

    public static void Inception(GoldenCase golden, CaseReport report)
    {
        var result = InceptionScore.Of(golden.Tensor("logits"), golden.Spec.GetProperty("splits").GetInt32());
        CompareNumber(golden, report, "inception_score", () => result.All);
        report.Compare("per_split", result.PerSplit, Numbers(golden.Spec.GetProperty("per_split")));
        CompareNumber(golden, report, "mean", () => result.Mean);
        CompareNumber(golden, report, "std", () => result.Deviation);
    }

    public static void Copies(GoldenCase golden, CaseReport report)
    {
        var (samples, training) = (golden.Tensor("generated"), golden.Tensor("train"));
        var nearest = Memorisation.Nearest(samples, training, (int)golden.Tensor("nearest").shape[1]);
        report.Compare("nearest", nearest.Indices);
        report.Compare("distance", nearest.Distances);
        report.Compare("calibrated_ratio", Memorisation.CalibratedRatio(samples, training, golden.Spec.GetProperty("alpha").GetDouble(), golden.Spec.GetProperty("neighbours").GetInt32()));
        report.Compare("max_cosine", Memorisation.MaxCosine(samples, training));
    }

    public static void Pixels(GoldenCase golden, CaseReport report)
    {
        var (a, b, range) = (golden.Tensor("image_a"), golden.Tensor("image_b"), golden.Spec.GetProperty("data_range").GetDouble());
        report.Compare("mse", PixelSimilarity.MeanSquaredError(a, b));
        report.Compare("psnr", PixelSimilarity.Psnr(a, b, range));
        report.Compare("ssim", PixelSimilarity.Ssim(a, b, range));
    }

    public static void Clip(GoldenCase golden, CaseReport report)
    {
        using var still = no_grad();
        using var model = ClipModel.Load(golden.PathOf(golden.Spec.GetProperty("model").GetString()!));
        var output = model.call(golden.Tensor("input_ids"), golden.Tensor("pixel_values"), null);
        var scores = ClipScore.PerPair(output.ImageEmbeds, output.TextEmbeds);
        report.Compare("image_embeds", output.ImageEmbeds);
        report.Compare("text_embeds", output.TextEmbeds);
        report.Compare("logits_per_image", output.LogitsPerImage);
        report.Compare("cosine", ClipScore.Cosine(output.ImageEmbeds, output.TextEmbeds));
        report.Compare("clip_score", scores);
        report.Compare("mean", scores.mean());
    }

    private static void Neighbours(GoldenCase golden, CaseReport report, string name, Tensor reference, Tensor samples)
    {
        if (!golden.Spec.TryGetProperty(name, out var expected))
            return;
        var result = Neighbourhoods.Measure(reference, samples, golden.Spec.GetProperty("nearest_k").GetInt32());
        foreach (var (part, value) in new[] { ("precision", result.Precision), ("recall", result.Recall), ("density", result.Density), ("coverage", result.Coverage) })
            report.Compare($"{name}.{part}", value, expected.GetProperty(part).GetDouble());
    }

    private static void CompareNumber(GoldenCase golden, CaseReport report, string name, Func<double> value)
    {
        if (golden.Spec.TryGetProperty(name, out var expected))
            report.Compare(name, value(), expected.GetDouble());
    }

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetDouble())];
}
