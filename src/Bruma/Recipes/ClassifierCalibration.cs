using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Nn;
using Bruma.Vision;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>What distances in a classifier's features mean: real pictures, spoilt ones and noise against held-out pictures.</summary>
internal static class ClassifierCalibration
{
    private const int Count = 2000;
    private const int BatchSize = 128;
    private const double Noise = 0.1;

    /// <param name="training">uint8 [N, C, S, S].</param>
    /// <param name="held">uint8 [M, C, S, S].</param>
    /// <returns>Rows of a table.</returns>
    public static IEnumerable<string> Table(SmallClassifier network, Tensor training, Tensor held, long seed)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        network.eval();
        using var random = HashedSeed.At(seed, 21);
        var count = (int)Math.Min(Count, training.shape[0]);
        var real = ImageTensor.FromBytes(training.index_select(0, randperm(training.shape[0], generator: random)[..count]));
        using var comparison = new SetComparison(Features(network, held), new ComparisonOptions(["fd", "kid", "prc", "density", "coverage", "vendi"], KidSubsets: 10, Parts: 0, Seed: seed));
        var sets = new (string Name, Func<Tensor> Make)[]
        {
            ("real", () => real),
            ($"real, noise {Noise.ToString(System.Globalization.CultureInfo.InvariantCulture)}", () => (real + Noise * 2 * randn(real.shape, generator: random)).clamp(-1, 1)),
            ("real, 3x3 mean", () => nn.functional.avg_pool2d(nn.functional.pad(real, [1, 1, 1, 1], TorchSharp.PaddingModes.Replicate), 3, stride: 1)),
            ("noise", () => randn(real.shape, generator: random).clamp(-1, 1)),
        };
        var lines = new List<string> { $"calibration, {count} pictures against {held.shape[0]} held out (FD, KID x 1000, precision, recall, density, coverage, Vendi):" };
        foreach (var (name, make) in sets)
        {
            using var part = NewDisposeScope();
            var found = comparison.Measure(Features(network, make()));
            double Value(string key) => found[key].Value;
            lines.Add(FormattableString.Invariant($"  {name,-16} {Value(SetComparison.Frechet):0.00}  {1000 * Value(SetComparison.KidMean):0.0}  {Value("precision"):0.000}  {Value("recall"):0.000}  {Value("density"):0.00}  {Value("coverage"):0.000}  {Value("vendi"):0.0}"));
        }
        network.train();
        return lines;
    }

    private static Tensor Features(SmallClassifier network, Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (var at = 0L; at < pictures.shape[0]; at += BatchSize)
        {
            using var part = NewDisposeScope();
            var rows = pictures.narrow(0, at, Math.Min(BatchSize, pictures.shape[0] - at));
            parts.Add(network.Features(rows.is_floating_point() ? rows : ImageTensor.FromBytes(rows)).MoveToOuterDisposeScope());
        }
        return cat(parts).MoveToOuterDisposeScope();
    }
}
