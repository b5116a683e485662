using Bruma.Metrics;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Measures sets of different sizes by draws of equally many pictures, since most measures depend on how many there are.</summary>
/// <remarks>Figures of a set with more pictures than a draw are means over draws, with 1.96 deviations as their interval; of another, its own with the jackknife's.
/// KID and copies take the whole set: KID has no bias, and copies are counted one by one.</remarks>
/// <param name="reference">[N, D].</param>
/// <param name="size">Pictures of a draw.</param>
internal sealed class EqualDraws(Tensor reference, int size) : IDisposable
{
    public const int Largest = 78;

    private const int Draws = 5;
    private const double TwoSided = 1.96;
    private static readonly string[] Drawn = ["fd", "prc", "density", "coverage", "vendi", "diversity"];

    private readonly SetComparison _drawn = new(reference, new ComparisonOptions(Drawn, Parts: 0));
    private readonly SetComparison _left = new(reference, new ComparisonOptions(Drawn));
    private readonly SetComparison _whole = new(reference, new ComparisonOptions(["kid", "copies"], KidSubsets: 100, KidSubsetSize: 70, Parts: 0));

    public MeasuredSet Of(string key, string label, Tensor features)
    {
        var values = new Dictionary<string, Measured>(StringComparer.Ordinal);
        foreach (var (name, value) in features.shape[0] > size ? Mean(features) : _left.Measure(features))
            values[name] = value;
        foreach (var (name, value) in _whole.Measure(features))
            values[name] = value;
        return new MeasuredSet(key, label, (int)features.shape[0], values);
    }

    public void Dispose()
    {
        _drawn.Dispose();
        _left.Dispose();
        _whole.Dispose();
    }

    private Dictionary<string, Measured> Mean(Tensor features)
    {
        using var scope = NewDisposeScope();
        var draws = Enumerable.Range(0, Draws).Select(draw =>
        {
            using var random = HashedSeed.At(0, 78, draw);
            return _drawn.Measure(FeatureMatrix.Draw(features, size, random));
        }).ToList();
        return draws[0].Keys.ToDictionary(key => key, key =>
        {
            var values = draws.Select(draw => draw[key].Value).ToList();
            var mean = values.Average();
            var spread = TwoSided * Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (Draws - 1));
            return Measured.Around(key, mean, spread);
        }, StringComparer.Ordinal);
    }
}
