using System.Diagnostics;
using Bruma.Data;
using Bruma.Metrics;
using Bruma.Recipes;
using Bruma.Recipes.Speed;
using Bruma.Verification;
using static TorchSharp.torch;

namespace Bruma.Benchmarks;

/// <summary>Features of photos in a folder, decoding and all, as evaluate takes them, beside the network alone.</summary>
internal static class ExtractionBenchmark
{
    public static void Run(double seconds)
    {
        var models = SharedFolder.Find(AppContext.BaseDirectory, "models");
        if (models is null || PictureSets.Pets is not { } pets)
        {
            Console.WriteLine("features of photos: skipped; set BRUMA_SHARED to the folder that holds data/pets and models");
            return;
        }
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var network = FeatureNetwork.OfEfficientNet(Path.Combine(models, FeatureNetworks.Default));
        var photos = new ImageFolder(pets);
        var batch = stack([.. Enumerable.Range(0, network.BatchSize).Select(i => network.Prepare(photos.Load(i)))]);
        var before = Timing.Median(() => network.Compute(batch), seconds / 2);
        var watch = Stopwatch.StartNew();
        using var features = new FeatureExtraction(network).RunAll(photos);
        var rate = features.Count / watch.Elapsed.TotalSeconds;
        var alone = 2 * network.BatchSize / (before + Timing.Median(() => network.Compute(batch), seconds / 2));
        Console.WriteLine(FormattableString.Invariant($"features of {features.Count} photos, {network.Name}: {rate:0.0} images/s, {rate / alone:0.00} of the network alone ({alone:0.0}); goal 0.8"));
    }
}
