using Bruma.Recipes;

namespace Bruma.Tests.Recipes;

public sealed class GanDiagnosisTests
{
    [Fact]
    public void A_sure_discriminator_is_named_with_what_to_try()
    {
        var finding = Assert.Single(GanDiagnosis.Of(new GanOptions("x"), Rows(12, -9), [], null));
        Assert.Contains("too strong", finding, StringComparison.Ordinal);
        Assert.Contains("--discriminator-learning-rate", finding, StringComparison.Ordinal);
    }

    [Fact]
    public void The_scale_of_a_critic_without_bounds_means_nothing() =>
        Assert.Contains("Nothing is out of the ordinary", Assert.Single(GanDiagnosis.Of(new GanOptions("x", "wgan-gp"), Rows(40, -40), [], null)), StringComparison.Ordinal);

    [Fact]
    public void Precise_samples_that_cover_little_are_mode_collapse() =>
        Assert.Contains("mode collapse", Assert.Single(GanDiagnosis.Of(new GanOptions("x"), Rows(1, -1), [Measured(100, 9, precision: 0.9, recall: 0.02)], null)), StringComparison.Ordinal);

    [Fact]
    public void No_run_is_told_to_take_the_objective_that_it_has()
    {
        var finding = Assert.Single(GanDiagnosis.Of(new GanOptions("x", "r3gan"), Rows(1, -1), [Measured(100, 9, precision: 0.9, recall: 0.02)], null));
        Assert.Contains("--objective wgan-gp,", finding, StringComparison.Ordinal);
        Assert.DoesNotContain("r3gan", finding, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_got_worse_names_its_best_step() =>
        Assert.Contains("--steps 100", Assert.Single(GanDiagnosis.Of(new GanOptions("x"), Rows(1, -1), [Measured(100, 5), Measured(200, 12)], null)), StringComparison.Ordinal);

    [Fact]
    public void A_breakdown_comes_first() =>
        Assert.StartsWith("The numbers broke down", GanDiagnosis.Of(new GanOptions("x"), Rows(1, -1), [], "step 7: NaN")[0], StringComparison.Ordinal);

    [Theory]
    [InlineData("--objective", "x", "dcgan, lsgan, wgan-gp")]
    [InlineData("--resolution", "70", "28, 32")]
    [InlineData("--batch-size", "1", "batch norms")]
    [InlineData("--diffaugment", "colour", "color,translation,cutout")]
    public void Options_that_no_run_could_have_are_refused_by_name(string option, string value, string hint)
    {
        var options = option switch
        {
            "--objective" => new GanOptions("d", value),
            "--resolution" => new GanOptions("d", Resolution: int.Parse(value, System.Globalization.CultureInfo.InvariantCulture)),
            "--batch-size" => new GanOptions("d", BatchSize: int.Parse(value, System.Globalization.CultureInfo.InvariantCulture)),
            _ => new GanOptions("d", DiffAugment: value),
        };
        var message = Assert.Throws<BrumaException>(() => options.Checked()).Message;
        Assert.StartsWith($"{option} {value}:", message, StringComparison.Ordinal);
        Assert.Contains(hint, message, StringComparison.Ordinal);
    }

    private static List<double[]> Rows(double real, double fake) => [.. Enumerable.Range(1, 100).Select(step => new[] { step, 1, 1, 0.5, 0.5, real, fake })];

    private static SampleMeasures Measured(long step, double distance, double precision = 0.8, double recall = 0.5) => new(step, "x", 1000, distance, 0.01, precision, recall, 0.8, 0.6, 0.1);
}
