using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Linear multistep method (Adams-Bashforth on uneven noise levels) of order 4.</summary>
/// <remarks>k-diffusion's "LMS": the polynomial through the last slopes is integrated over the step.</remarks>
public sealed class LmsScheduler(SchedulerConfig config, int steps) : SigmaScheduler(config, steps)
{
    private const int Depth = 4;

    private readonly TensorHistory _slopes = new(Depth);

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        _slopes.Add(Derivative(prediction, step, sample));
        // the order is that of the step, also where a run began in the middle and knows fewer slopes: a fact of the reference
        var order = Math.Min(step + 1, Depth);
        var result = sample;
        for (var age = 0; age < _slopes.Count; age++)
            result += _slopes[age] * Weight(step, age, order);
        return result.MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _slopes.Dispose();
        base.Dispose(disposing);
    }

    // the integral of the Lagrange polynomial of one slope; two Gauss-Legendre points are exact up to degree 3
    private double Weight(int step, int age, int order)
    {
        var (from, to) = (Sigmas[step], Sigmas[step + 1]);
        var (middle, half) = ((from + to) / 2, (to - from) / 2);
        double Lagrange(double sigma) => Enumerable.Range(0, order).Where(other => other != age)
            .Aggregate(1.0, (product, other) => product * (sigma - Sigmas[step - other]) / (Sigmas[step - age] - Sigmas[step - other]));
        return half * (Lagrange(middle - half / Math.Sqrt(3)) + Lagrange(middle + half / Math.Sqrt(3)));
    }
}
