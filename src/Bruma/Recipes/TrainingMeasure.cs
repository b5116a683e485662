using Bruma.Data;
using Bruma.Metrics;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Measures a generator while it trains: some of its pictures against real ones, in features computed once. Says how it goes, not how good it is: N is small.</summary>
public sealed class TrainingMeasure : IDisposable
{
    private const int MostReference = 2000;
    private const int Parts = 0; // no intervals
    private const string FashionFeatures = "fmnist";

    private readonly FeatureNetwork _network;
    private readonly Tensor _reference;
    private readonly SetComparison _comparison;

    private TrainingMeasure(FeatureNetwork network, Tensor reference, int samples, long seed)
    {
        (_network, _reference) = (network, reference);
        var subset = Math.Max(2, Math.Min(samples, (int)reference.shape[0]) / 2);
        _comparison = new SetComparison(reference, new ComparisonOptions(["fd", "kid", "prc", "density", "coverage"], KidSubsets: 10, KidSubsetSize: subset, Parts: Parts, Seed: seed));
    }

    /// <summary>The network that suits a data set: its own where Bruma ships one.</summary>
    public static string FeaturesFor(string data) => data is FashionMnist.SourceName or FashionMnist.TestName ? FashionFeatures : FeatureNetworks.Default;

    /// <param name="data">What the run trains on, as its options say; Fashion-MNIST is measured against its test pictures.</param>
    /// <param name="pictures">The training pictures, uint8 [N, C, S, S].</param>
    /// <param name="samples">How many samples each measurement will have.</param>
    /// <param name="seed">Draws the reference.</param>
    public static TrainingMeasure For(string data, Tensor pictures, int samples, long seed)
    {
        using var test = data == FashionMnist.SourceName ? TrainingImages.Load(FashionMnist.Test(), (int)pictures.shape[^1]) : null;
        using var scope = NewDisposeScope();
        var all = test?.Pixels ?? pictures;
        using var random = HashedSeed.At(seed, 11);
        var drawn = all.index_select(0, randperm(all.shape[0], generator: random)[..(int)Math.Min(MostReference, all.shape[0])]);
        var network = FeatureNetworks.Open(FeaturesFor(data));
        return new TrainingMeasure(network, Features(network, drawn).DetachFromDisposeScope(), samples, seed);
    }

    /// <summary>Names of the numbers, in the order of <see cref="Of"/>: Fréchet distance and KID carry the network's.</summary>
    public IReadOnlyList<string> Names => [_network.Label("FD"), _network.Label("KID"), "precision", "recall", "density", "coverage"];

    /// <param name="pictures">uint8 [M, C, H, W]; the same noise every time shows progress best.</param>
    public IReadOnlyList<KeyValuePair<string, double>> Of(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var found = _comparison.Measure(Features(_network, pictures));
        string[] keys = [SetComparison.Frechet, SetComparison.KidMean, "precision", "recall", "density", "coverage"];
        return [.. Names.Zip(keys, (name, key) => KeyValuePair.Create(name, found.TryGetValue(key, out var measured) ? measured.Value : double.NaN))];
    }

    public void Dispose()
    {
        _comparison.Dispose();
        _reference.Dispose();
        _network.Dispose();
    }

    /// <param name="pictures">uint8 [M, C, H, W].</param>
    /// <returns>fp32 [M, D].</returns>
    internal static Tensor Features(FeatureNetwork network, Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (var at = 0L; at < pictures.shape[0]; at += network.BatchSize)
        {
            using var part = NewDisposeScope();
            var rows = pictures.narrow(0, at, Math.Min(network.BatchSize, pictures.shape[0] - at));
            parts.Add(network.Compute(stack([.. rows.unbind().Select(network.Prepare)])).Features.MoveToOuterDisposeScope());
        }
        return cat(parts).MoveToOuterDisposeScope();
    }
}
