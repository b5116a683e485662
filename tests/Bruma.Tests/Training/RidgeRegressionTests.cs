using Bruma.Tests.Support;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Tests.Training;

public sealed class RidgeRegressionTests
{
    [Fact]
    public void A_linear_rule_is_found_again()
    {
        using var scope = NewDisposeScope();
        var x = randn([60, 5], generator: new Generator(1, CPU));
        var rule = tensor(new[] { 2f, -1f, 0.5f, 0f, 3f });
        var y = (x.matmul(rule) + 7).data<float>().Select(value => (double)value).ToList();
        var model = RidgeRegression.Fit(x, y);
        var other = randn([9, 5], generator: new Generator(2, CPU));
        foreach (var (said, asked) in model.Predict(other).Zip((other.matmul(rule) + 7).data<float>()))
            Assert.Equal(asked, said, 0.02);
    }

    [Fact]
    public void Numbers_that_the_features_do_not_explain_are_answered_by_about_their_mean()
    {
        using var scope = NewDisposeScope();
        var x = randn([40, 200], generator: new Generator(3, CPU)); // more features than rows: without a penalty every row would be hit
        var y = randn([40], generator: new Generator(4, CPU)).data<float>().Select(value => 5.0 + value).ToList();
        var said = RidgeRegression.Fit(x, y).Predict(randn([100, 200], generator: new Generator(5, CPU)));
        Assert.InRange(said.Average(value => Math.Pow(value - 5, 2)), 0, 0.5); // half of the variance that guessing at random would have
    }

    [Fact]
    public void A_fit_keeps_nothing_alive()
    {
        using var x = randn([6, 3]);
        Leaks.None(() => RidgeRegression.Fit(x, [1, 2, 3, 4, 5, 6]).Predict(x));
    }
}
