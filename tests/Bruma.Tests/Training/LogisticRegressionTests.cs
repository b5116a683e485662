using Bruma.Training;

namespace Bruma.Tests.Training;

public sealed class LogisticRegressionTests
{
    [Fact]
    public void The_fit_is_a_stationary_point_of_the_objective()
    {
        var fit = LogisticRegression.Fit(FeatureRows.Dense([[0f], [1f], [2f], [3f]]), [0, 0, 1, 1], 2);
        var gradient = Gradient(fit);
        Assert.All(gradient, value => Assert.True(Math.Abs(value) < 1e-3, $"{value}"));
        Assert.True(fit.Predict(FeatureRows.Dense([[1.5f]]))[0][0] is > 0.499 and < 0.501);
    }

    [Fact]
    public void A_row_counts_as_often_as_its_weight_says()
    {
        var twice = LogisticRegression.Fit(FeatureRows.Dense([[0f], [0f], [1f]]), [0, 0, 1], 2);
        var weighted = LogisticRegression.Fit(FeatureRows.Dense([[0f], [1f]]), [0, 1], 2, weights: [2, 1]);
        Assert.Equal(twice.Predict(FeatureRows.Dense([[0.3f]]))[0][0], weighted.Predict(FeatureRows.Dense([[0.3f]]))[0][0], 1e-3);
    }

    /// <summary>The derivative of the objective at the fit: weights plus the rows' errors.</summary>
    private static IEnumerable<double> Gradient(LogisticRegression fit)
    {
        var (weights, _) = fit.Parameters();
        float[][] rows = [[0f], [1f], [2f], [3f]];
        int[] labels = [0, 0, 1, 1];
        var predictions = fit.Predict(FeatureRows.Dense(rows));
        for (var k = 0; k < 2; k++)
            yield return weights[k, 0] + rows.Select((row, i) => row[0] * (predictions[i][k] - (labels[i] == k ? 1 : 0))).Sum();
    }
}
