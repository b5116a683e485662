using Bruma.Metrics;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Metrics;

public sealed class FeatureMetricsTests
{
    private static Tensor Draw(long seed, int rows, int width) => randn([rows, width], float64, generator: new Generator((ulong)seed, CPU));

    [Fact]
    public void Statistics_do_not_depend_on_how_the_set_is_cut()
    {
        using var scope = NewDisposeScope();
        var x = Draw(1, 57, 6) + 1000; // far from zero, where naive sums of squares fail
        using var whole = FeatureStatistics.Of(x);
        using var first = FeatureStatistics.Of(x[..20]);
        using var second = new FeatureStatistics(6);
        second.Add(x[20..21]);
        second.Add(x[21..]);
        first.Merge(second);
        Assert.Equal(57, first.Count);
        Assert.True(whole.Covariance().allclose(first.Covariance(), 1e-10, 1e-10));
        Assert.True(whole.Covariance().allclose(cov(x.t()), 1e-10, 1e-10));
    }

    [Fact]
    public void Neighbourhoods_of_all_vectors_find_every_copy_and_those_of_a_part_do_not()
    {
        using var scope = NewDisposeScope();
        var reference = Draw(8, 60, 4);
        double Precision(int looked)
        {
            using var comparison = new SetComparison(reference, new ComparisonOptions(["prc"], Neighbours: 1, NeighbourSamples: looked, Parts: 0));
            return comparison.Measure(reference[..40])["precision"].Value;
        }
        Assert.Equal(1, Precision(0));
        Assert.Equal(1, Precision(60));
        Assert.InRange(Precision(20), 0.05, 0.95);
    }

    [Fact]
    public void Frechet_of_diagonal_normals_has_a_closed_form()
    {
        using var scope = NewDisposeScope();
        var x = Draw(2, 400, 3);
        x = (x - x.mean([0L])) / x.std(0, true, false); // each column: mean 0, deviation 1
        var (values, vectors) = linalg.eigh(cov(x.t()));
        var white = x.matmul(vectors) / values.sqrt();
        var other = white * tensor(new[] { 1.0, 2.0, 3.0 }) + tensor(new[] { 0.0, 0.0, 5.0 });
        Assert.Equal(25 + 0 + 1 + 4, FrechetDistance.Between(white, other), 8);
    }

    [Theory]
    [InlineData(3, 40)]
    [InlineData(1, 8)]
    [InlineData(90, 8)]
    public void Equal_sets_lie_at_zero_also_with_fewer_vectors_than_dimensions(int rows, int width)
    {
        using var scope = NewDisposeScope();
        var x = Draw(3, rows, width);
        Assert.Equal(0, FrechetDistance.Between(x, x), 8);
        using var statistics = FeatureStatistics.Of(x);
        Assert.Equal(0, FrechetDistance.Quick(statistics, x), 4);
    }

    [Fact]
    public void The_quick_form_agrees_with_the_exact_one()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Draw(4, 50, 12), Draw(5, 30, 12) * 1.3 + 0.2);
        using var statistics = FeatureStatistics.Of(a);
        Assert.Equal(FrechetDistance.Between(a, b), FrechetDistance.Quick(statistics, b), 6);
    }

    [Fact]
    public void Not_a_number_is_named_not_averaged()
    {
        using var scope = NewDisposeScope();
        var x = Draw(6, 5, 2);
        x[3, 1] = double.NaN;
        Assert.Contains("vector 3 of 5", Assert.Throws<BrumaException>(() => FeatureStatistics.Of(x)).Message, StringComparison.Ordinal);
        Assert.Throws<BrumaException>(() => Neighbourhoods.Measure(x, x, 2));
    }

    [Fact]
    public void Copies_are_all_quality_and_no_merit()
    {
        using var scope = NewDisposeScope();
        var x = Draw(7, 80, 5);
        var result = Neighbourhoods.Measure(x, x, 5);
        Assert.Equal((1.0, 1.0, 1.0), (result.Precision, result.Recall, result.Coverage));
        using var nearest = Memorisation.NearestForCopies(x, x);
        Assert.True((Memorisation.CopyRatio(nearest) == 0).all().item<bool>());
        Assert.True(KernelDistance.Polynomial(x, x) < 0.1);
        using var others = Memorisation.NearestForCopies(Draw(8, 80, 5), x);
        Assert.True((Memorisation.CopyRatio(others) < Memorisation.CopyThreshold).to(float64).mean().item<double>() < 0.1);
    }

    [Fact]
    public void Vendi_counts_what_differs()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(7, VendiScore.Of(eye(7, 9)).Entropy, 8);
        Assert.Equal(1, VendiScore.Of(ones(7, 9)).Entropy, 8);
        Assert.Equal(2, VendiScore.Of(eye(2, 9).repeat(10, 1)).Collision, 8);
        Assert.Equal(0.5, Memorisation.Duplicates(eye(2, 9).repeat(2, 1)));
    }

    [Fact]
    public void Equal_pictures_are_alike()
    {
        using var scope = NewDisposeScope();
        var x = rand([2, 3, 16, 12], generator: new Generator(1, CPU));
        Assert.Equal(1, PixelSimilarity.Ssim(x, x, 1)[0].item<double>(), 10);
        Assert.True(double.IsPositiveInfinity(PixelSimilarity.Psnr(x, x, 1)[1].item<double>()));
        Assert.Contains("too small", Assert.Throws<BrumaException>(() => PixelSimilarity.Ssim(zeros(1, 1, 8, 8), zeros(1, 1, 8, 8), 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Measures_keep_nothing_alive()
    {
        var (a, b) = (Draw(9, 60, 6), Draw(10, 40, 6));
        using var comparison = new SetComparison(a, new ComparisonOptions(SetComparison.All, KidSubsets: 3, KidSubsetSize: 20));
        comparison.Measure(b, b);
        Leaks.None(() => comparison.Measure(b, b));
    }

    [Fact]
    public void Intervals_of_shares_end_at_0_and_1()
    {
        using var scope = NewDisposeScope();
        using var comparison = new SetComparison(Draw(14, 60, 2), new ComparisonOptions(["prc", "coverage"], Parts: 4));
        var measured = comparison.Measure(Draw(15, 20, 2) + 3); // few of them near the reference
        Assert.All(new[] { "precision", "recall", "f_score", "coverage" }, key => Assert.InRange(measured[key].Value, measured[key].Low!.Value, measured[key].High!.Value));
        Assert.All(measured.Values, value => Assert.True(value is { Low: >= 0, High: <= 1 }, value.ToString()));
        Assert.Contains(measured.Values, value => value.Low == 0 && value.Value > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Few_pictures_give_numbers_not_errors(int count)
    {
        using var scope = NewDisposeScope();
        using var comparison = new SetComparison(Draw(11, count, 6), new ComparisonOptions(SetComparison.All, KidSubsets: 3));
        Assert.All(comparison.Measure(Draw(12, count, 6), Draw(13, count, 4)).Values, measured => Assert.True(double.IsFinite(measured.Value)));
    }
}
