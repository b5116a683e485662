using static TorchSharp.torch;

namespace Bruma.Training;

/// <summary>Linear least squares with a penalty on the weights (Hoerl and Kennard 1970), for a number per row of features.</summary>
/// <remarks>Features are brought to zero mean and unit variance first. The penalty is the one of a grid with the least leave-one-out error, which has a closed form.</remarks>
public sealed class RidgeRegression
{
    private static readonly double[] Strengths = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10]; // of the mean eigenvalue

    private readonly double[] _weights;
    private readonly double _intercept;

    private RidgeRegression(double[] weights, double intercept) => (_weights, _intercept) = (weights, intercept);

    /// <param name="features">[N, D], N at least 2.</param>
    /// <param name="targets">A number per row.</param>
    public static RidgeRegression Fit(Tensor features, IReadOnlyList<double> targets)
    {
        using var scope = NewDisposeScope();
        var x = features.to(float64);
        var (mean, deviation) = (x.mean([0L], keepdim: true), x.std([0L], false, keepdim: true).clamp_min(1e-6));
        x = (x - mean) / deviation;
        var y = tensor(targets.ToArray(), float64);
        var centre = y.mean();
        y = y - centre;
        var (values, vectors) = linalg.eigh(x.matmul(x.t()));
        values = values.clamp_min(0);
        var unit = values.mean().clamp_min(1e-12);
        var turned = vectors.t().matmul(y);
        var best = Strengths.Select(strength => Dual(values + strength * unit)).MinBy(fit => fit.Error).Alpha;
        var weights = x.t().matmul(best) / deviation.view(-1);
        return new RidgeRegression([.. weights.data<double>()], (centre - (mean.view(-1) * weights).sum()).item<double>());

        (Tensor Alpha, double Error) Dual(Tensor shrunk)
        {
            var alpha = vectors.matmul(turned / shrunk);
            var diagonal = (vectors.square() / shrunk).sum(1);
            return (alpha, (alpha / diagonal).square().mean().item<double>());
        }
    }

    /// <param name="features">[N, D].</param>
    /// <returns>A number per row.</returns>
    public double[] Predict(Tensor features)
    {
        using var scope = NewDisposeScope();
        return [.. (features.to(float64).matmul(tensor(_weights, float64)) + _intercept).data<double>()];
    }
}
