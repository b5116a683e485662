using Bruma.Metrics;

namespace Bruma.Recipes;

/// <summary>What to measure against what.</summary>
/// <param name="Reference">Real pictures: a folder, <c>fashion-mnist</c> or <c>fashion-mnist-test</c>.</param>
/// <param name="Samples">Pictures, a model's folder, a finished run, or the name of an installed model.</param>
/// <param name="Output">Folder of the result.</param>
/// <param name="Features">See <see cref="FeatureNetworks.Open"/>.</param>
/// <param name="Metrics">Empty for those that the network allows.</param>
/// <param name="Count">Samples to draw from a model, or to take of a folder (0 for all).</param>
/// <param name="Prompts">File with a text a line, for models that take texts and for the CLIP score.</param>
/// <param name="Lpips">Torchvision's file of AlexNet, VGG-16 or SqueezeNet weights.</param>
/// <param name="Clip">Folder of a CLIP model for the CLIP score.</param>
/// <param name="NeighbourSamples">See <see cref="ComparisonOptions.NeighbourSamples"/>.</param>
/// <param name="ResizeAndCrop">Central square of every picture at this size before the network's own preparation; 0 leaves pictures as they are.</param>
/// <param name="Cache">Folder of cached features; null for none.</param>
/// <param name="Drawing">What a model draws with; null for its own settings.</param>
public sealed record EvaluationOptions(
    string Reference, string Samples, string Output, string Features = FeatureNetworks.Default, IReadOnlyList<string>? Metrics = null, int Count = 0, long Seed = 0, string? Prompts = null,
    string? Lpips = null, string? Clip = null, int KidSubsets = 100, int KidSubsetSize = 1000, int InceptionSplits = 10, int Neighbours = 5, int NeighbourSamples = 10_000, int ResizeAndCrop = 0, string? Cache = null,
    DrawSettings? Drawing = null)
{
    /// <summary>Samples that are drawn from a model when no count is given.</summary>
    public const int DrawnByDefault = 1000;

    private static readonly string[] Paired = ["lpips", "ssim", "psnr"];

    /// <summary>Every name that <see cref="Metrics"/> may hold.</summary>
    public static IReadOnlyList<string> Known => [.. SetComparison.All, .. Paired, "clip"];

    public IReadOnlyList<string> Chosen => Metrics is { Count: > 0 } ? Metrics : SetComparison.All;

    public bool WantsPairs => Chosen.Any(Paired.Contains);

    /// <summary>Refuses values that no evaluation could have, each by its option's name.</summary>
    public EvaluationOptions Checked()
    {
        RunConfig.Require(Count >= 0, "--count", Count, "0 (all) or more");
        RunConfig.Require(KidSubsets >= 1, "--kid-subsets", KidSubsets, "at least 1");
        RunConfig.Require(KidSubsetSize >= 2, "--kid-subset-size", KidSubsetSize, "at least 2");
        RunConfig.Require(InceptionSplits >= 1, "--isc-splits", InceptionSplits, "at least 1");
        RunConfig.Require(Neighbours >= 1, "--neighbours", Neighbours, "at least 1");
        RunConfig.Require(NeighbourSamples == 0 || NeighbourSamples > Neighbours, "--neighbour-samples", NeighbourSamples, "0 (all) or more than --neighbours");
        RunConfig.Require(ResizeAndCrop == 0 || ResizeAndCrop is >= 8 and <= 4096, "--resize-and-crop", ResizeAndCrop, "8 to 4096");
        foreach (var name in Chosen)
            RunConfig.Require(Known.Contains(name), "--metrics", name, $"of {string.Join(", ", Known)}");
        return this;
    }
}
