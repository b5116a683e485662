using Bruma.Metrics;

namespace Bruma.Recipes;

/// <summary>Names of the measures for people.</summary>
internal static class EvaluationRows
{
    private static readonly Dictionary<string, (string Name, bool NamesNetwork, string Better)> Known = new(StringComparer.Ordinal)
    {
        [SetComparison.Frechet] = ("FD", true, "smaller"),
        [SetComparison.KidMean] = ("KID", true, "smaller"),
        [SetComparison.KidDeviation] = ("KID, deviation over subsets", false, ""),
        [SetComparison.ScoreMean] = ("IS", true, "larger"),
        [SetComparison.ScoreDeviation] = ("IS, deviation over parts", false, ""),
        ["precision"] = ("precision", false, "larger"),
        ["recall"] = ("recall", false, "larger"),
        ["f_score"] = ("F score of precision and recall", false, "larger"),
        ["density"] = ("density", false, "larger"),
        ["coverage"] = ("coverage", false, "larger"),
        ["cmmd"] = ("CMMD", false, "smaller"),
        ["vendi"] = ("Vendi", false, "larger"),
        ["vendi_order2"] = ("Vendi of order 2", false, "larger"),
        ["pair_distance"] = ("distance between samples in features", false, "near the floor"),
        ["copies"] = ("copies of reference pictures, share", false, "smaller"),
        ["duplicates"] = ("samples drawn twice, share", false, "smaller"),
        ["lpips"] = ("LPIPS", false, "smaller"),
        ["feature_distance"] = ("perceptual distance", true, "smaller"),
        ["ssim"] = ("SSIM", false, "larger"),
        ["psnr"] = ("PSNR, dB", false, "larger"),
        ["clip_score"] = ("CLIP score", false, "larger"),
    };

    public static EvaluationRow? Of(string key, Measured value, double? floor, FeatureNetwork network) => Known.TryGetValue(key, out var known)
        ? new EvaluationRow(key, known.NamesNetwork ? network.Label(known.Name) : known.Name, value, floor, known.Better)
        : null;
}
