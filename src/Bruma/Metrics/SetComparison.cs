using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>How sets are compared.</summary>
/// <param name="Names">Which measures: see <see cref="SetComparison.All"/>.</param>
/// <param name="Neighbours">k of precision, recall, density and coverage.</param>
/// <param name="NeighbourSamples">Vectors of each set, drawn where there are more, that precision, recall, density and coverage look at: their cost grows with the square. 0 for all.</param>
/// <param name="Parts">Parts that are left out one by one for the intervals; below 2 there are none.</param>
public sealed record ComparisonOptions(IReadOnlyList<string> Names, int KidSubsets = 100, int KidSubsetSize = 1000, int InceptionSplits = 10, int Neighbours = 5, int NeighbourSamples = 10_000, int Parts = 10, long Seed = 0);

/// <summary>A number with its 95 % interval, where one can be given.</summary>
public sealed record Measured(double Value, double? Low = null, double? High = null)
{
    private static readonly HashSet<string> Shares = new(["precision", "recall", "f_score", "coverage", "copies", "duplicates"], StringComparer.Ordinal);

    /// <summary>The value give or take an error; intervals of shares end at 0 and 1.</summary>
    /// <param name="key">Which measure it is.</param>
    public static Measured Around(string key, double value, double error) => Shares.Contains(key)
        ? new Measured(value, Math.Max(0, value - error), Math.Min(1, value + error))
        : new Measured(value, value - error, value + error);
}

/// <summary>Every measure of a set of samples against a reference, by torch-fidelity's keys where it has them.</summary>
/// <remarks>Intervals: of KID the percentiles of its subsets; of the others the jackknife over parts of the samples (Efron 1982), which leaves one part out at a time and so needs no repeated vectors,
/// which would bias distances between covariances.</remarks>
public sealed class SetComparison : IDisposable
{
    public const string Frechet = "frechet_inception_distance";
    public const string KidMean = "kernel_inception_distance_mean";
    public const string KidDeviation = "kernel_inception_distance_std";
    public const string ScoreMean = "inception_score_mean";
    public const string ScoreDeviation = "inception_score_std";

    /// <summary>Names of measures as people choose them.</summary>
    public static readonly IReadOnlyList<string> All = ["fd", "kid", "is", "prc", "density", "coverage", "vendi", "cmmd", "copies", "diversity"];

    private const int DiversityPairs = 5000;
    private const double TwoSided = 1.96;

    private readonly Tensor _reference;
    private readonly ComparisonOptions _options;
    private readonly FeatureStatistics _statistics;
    private readonly Tensor _near;
    private readonly Dictionary<int, Tensor> _radii = [];

    /// <param name="reference">[N, D]; belongs to the caller and must live as long.</param>
    public SetComparison(Tensor reference, ComparisonOptions options)
    {
        (_reference, _options) = (reference, options);
        _statistics = FeatureStatistics.Of(reference);
        using var random = HashedSeed.At(options.Seed, 3);
        _near = FeatureMatrix.Draw(reference, MostNeighbours, random).DetachFromDisposeScope();
    }

    /// <param name="samples">[M, D].</param>
    /// <param name="logits">[M, K]; null leaves the Inception score out.</param>
    public IReadOnlyDictionary<string, Measured> Measure(Tensor samples, Tensor? logits = null)
    {
        FeatureMatrix.RequirePair(_reference, samples);
        var found = Exact(samples, logits);
        var parts = (int)Math.Min(_options.Parts, samples.shape[0] / 2);
        if (parts < 2)
            return found;
        var left = Enumerable.Range(0, parts).Select(part => Without(samples, part, parts)).ToList();
        foreach (var key in left[0].Keys)
            found[key] = Interval(key, found[key].Value, [.. left.Select(row => row[key])]);
        return found;
    }

    public void Dispose()
    {
        _statistics.Dispose();
        _near.Dispose();
        foreach (var radii in _radii.Values)
            radii.Dispose();
    }

    private int MostNeighbours => _options.NeighbourSamples == 0 ? int.MaxValue : _options.NeighbourSamples;

    private bool Wants(string name) => _options.Names.Contains(name);

    private Dictionary<string, Measured> Exact(Tensor samples, Tensor? logits)
    {
        using var scope = NewDisposeScope();
        var found = new Dictionary<string, Measured>(StringComparer.Ordinal);
        if (Wants("fd"))
        {
            using var statistics = FeatureStatistics.Of(samples);
            found[Frechet] = new Measured(Math.Max(0, FrechetDistance.Between(_statistics, statistics)));
        }
        if (Wants("kid") && Math.Min(_reference.shape[0], samples.shape[0]) >= 2)
            AddKernel(samples, found);
        if (Wants("is") && logits is not null)
        {
            using var shuffle = HashedSeed.At(_options.Seed, 6); // samples often come class by class, and a part must hold all
            var rows = (int)logits.shape[0];
            var score = InceptionScore.Of(logits.index_select(0, FeatureMatrix.Indices(rows, rows, shuffle)), _options.InceptionSplits);
            found[ScoreMean] = new Measured(score.Mean);
            found[ScoreDeviation] = new Measured(score.Deviation);
        }
        foreach (var (key, value) in Neighbours(samples))
            found[key] = new Measured(value);
        if (Wants("cmmd"))
            found["cmmd"] = new Measured(KernelDistance.Cmmd(_near, samples));
        foreach (var (key, value) in Variety(samples))
            found[key] = new Measured(value);
        if (Wants("copies") && _reference.shape[0] > 1)
            AddCopies(samples, found);
        return found;
    }

    private void AddKernel(Tensor samples, Dictionary<string, Measured> found)
    {
        using var random = HashedSeed.At(_options.Seed, 1);
        var least = Math.Min(_reference.shape[0], samples.shape[0]);
        var size = (int)(_options.KidSubsetSize <= least ? _options.KidSubsetSize : least * 9 / 10); // subsets that are the whole set would not vary
        var result = KernelDistance.Polynomial(_reference, samples, _options.KidSubsets, Math.Max(2, size), random);
        var sorted = result.Values.Order().ToList();
        found[KidMean] = new Measured(result.Mean, sorted[(int)(0.025 * (sorted.Count - 1))], sorted[(int)Math.Ceiling(0.975 * (sorted.Count - 1))]);
        found[KidDeviation] = new Measured(result.Deviation);
    }

    private void AddCopies(Tensor samples, Dictionary<string, Measured> found)
    {
        using var nearest = Memorisation.NearestForCopies(samples, _reference);
        found["copies"] = new Measured((Memorisation.CopyRatio(nearest) < Memorisation.CopyThreshold).to(float64).mean().item<double>());
        found["duplicates"] = new Measured(Memorisation.Duplicates(samples));
    }

    private Dictionary<string, double> Neighbours(Tensor samples)
    {
        var found = new Dictionary<string, double>(StringComparer.Ordinal);
        var k = (int)Math.Min(_options.Neighbours, Math.Min(_near.shape[0], samples.shape[0]) - 1);
        if (k < 1 || !(Wants("prc") || Wants("density") || Wants("coverage")))
            return found;
        using var random = HashedSeed.At(_options.Seed, 4);
        using var drawn = FeatureMatrix.Draw(samples, MostNeighbours, random);
        var result = Neighbourhoods.Measure(_near, drawn, k, Radii(k));
        if (Wants("prc"))
            (found["precision"], found["recall"], found["f_score"]) = (result.Precision, result.Recall, result.FScore);
        if (Wants("density"))
            found["density"] = result.Density;
        if (Wants("coverage"))
            found["coverage"] = result.Coverage;
        return found;
    }

    /// <summary>Kept for the intervals.</summary>
    private Tensor Radii(int k) => _radii.TryGetValue(k, out var known) ? known : _radii[k] = Neighbourhoods.Radii(_near, k).DetachFromDisposeScope();

    private Dictionary<string, double> Variety(Tensor samples)
    {
        var found = new Dictionary<string, double>(StringComparer.Ordinal);
        if (Wants("vendi"))
            (found["vendi"], found["vendi_order2"]) = VendiScore.Of(samples);
        if (Wants("diversity") && samples.shape[0] > 1)
            found["pair_distance"] = PairDistance(samples);
        return found;
    }

    /// <summary>Mean distance of two different samples, over drawn pairs.</summary>
    private double PairDistance(Tensor samples)
    {
        using var scope = NewDisposeScope();
        using var random = HashedSeed.At(_options.Seed, 5);
        var first = randint(0, samples.shape[0], [DiversityPairs], int64, generator: random);
        var second = (first + 1 + randint(0, samples.shape[0] - 1, [DiversityPairs], int64, generator: random)) % samples.shape[0];
        return (samples.index_select(0, first) - samples.index_select(0, second)).to(float64).pow(2).sum(1).sqrt().mean().item<double>();
    }

    /// <summary>The measures that a jackknife suits, without one part of the samples.</summary>
    private Dictionary<string, double> Without(Tensor samples, int part, int parts)
    {
        using var scope = NewDisposeScope();
        var rest = samples.index_select(0, tensor(Enumerable.Range(0, (int)samples.shape[0]).Where(i => i % parts != part).Select(i => (long)i).ToArray()));
        var found = Neighbours(rest);
        if (Wants("fd"))
            found[Frechet] = FrechetDistance.Quick(_statistics, rest);
        foreach (var (key, value) in Variety(rest))
            found[key] = value;
        return found;
    }

    private static Measured Interval(string key, double value, double[] left)
    {
        var mean = left.Average();
        var error = Math.Sqrt((left.Length - 1.0) / left.Length * left.Sum(x => (x - mean) * (x - mean)));
        return Measured.Around(key, value, TwoSided * error);
    }
}
