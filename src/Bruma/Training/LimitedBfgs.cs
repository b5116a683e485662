using System.Numerics.Tensors;

namespace Bruma.Training;

/// <summary>L-BFGS with a backtracking line search, for smooth convex functions of some thousands of numbers.</summary>
/// <remarks>Nocedal 1980; Nocedal and Wright 2006, algorithms 7.4 and 7.5.</remarks>
internal sealed class LimitedBfgs(Func<double[], double[], double> objective, double tolerance)
{
    private const int Memory = 10;
    private const double SufficientDecrease = 1e-4;
    private const int Halvings = 40;

    private readonly List<(double[] Step, double[] Change, double Inverse)> _pairs = [];

    /// <param name="x">Where to begin; the minimum afterwards.</param>
    public void Minimize(double[] x, int iterations)
    {
        var gradient = new double[x.Length];
        var value = objective(x, gradient);
        for (var i = 0; i < iterations && TensorPrimitives.MaxMagnitude<double>(gradient) is var largest && Math.Abs(largest) > tolerance; i++)
        {
            var direction = Direction(gradient);
            var slope = TensorPrimitives.Dot<double>(direction, gradient);
            if (slope >= 0)
            {
                _pairs.Clear();
                TensorPrimitives.Negate(gradient, direction);
                slope = -TensorPrimitives.SumOfSquares<double>(gradient);
            }
            var step = _pairs.Count == 0 ? Math.Min(1, 1 / TensorPrimitives.Norm<double>(gradient)) : 1;
            if (!Search(x, direction, ref value, gradient, (slope, step)))
                return; // no lower point along it: as good as the numbers allow
        }
    }

    private bool Search(double[] x, double[] direction, ref double value, double[] gradient, (double Slope, double Step) start)
    {
        var (next, nextGradient) = (new double[x.Length], new double[x.Length]);
        var step = start.Step;
        for (var i = 0; i < Halvings; i++, step /= 2)
        {
            TensorPrimitives.MultiplyAdd(direction, step, x, next);
            var found = objective(next, nextGradient);
            if (found > value + SufficientDecrease * step * start.Slope)
                continue;
            var moved = new double[x.Length];
            var change = new double[x.Length];
            TensorPrimitives.Subtract(next, x, moved);
            TensorPrimitives.Subtract(nextGradient, gradient, change);
            Remember(moved, change);
            next.CopyTo(x, 0);
            nextGradient.CopyTo(gradient, 0);
            value = found;
            return true;
        }
        return false;
    }

    private void Remember(double[] step, double[] change)
    {
        var curvature = TensorPrimitives.Dot<double>(step, change);
        if (curvature <= 1e-12)
            return;
        if (_pairs.Count == Memory)
            _pairs.RemoveAt(0);
        _pairs.Add((step, change, 1 / curvature));
    }

    /// <summary>The two-loop recursion.</summary>
    private double[] Direction(double[] gradient)
    {
        var q = (double[])gradient.Clone();
        var alphas = new double[_pairs.Count];
        for (var i = _pairs.Count - 1; i >= 0; i--)
        {
            alphas[i] = _pairs[i].Inverse * TensorPrimitives.Dot<double>(_pairs[i].Step, q);
            TensorPrimitives.MultiplyAdd(_pairs[i].Change, -alphas[i], q, q);
        }
        if (_pairs.Count > 0)
            TensorPrimitives.Multiply(q, 1 / (_pairs[^1].Inverse * TensorPrimitives.SumOfSquares<double>(_pairs[^1].Change)), q);
        for (var i = 0; i < _pairs.Count; i++)
        {
            var beta = _pairs[i].Inverse * TensorPrimitives.Dot<double>(_pairs[i].Change, q);
            TensorPrimitives.MultiplyAdd(_pairs[i].Step, alphas[i] - beta, q, q);
        }
        TensorPrimitives.Negate(q, q);
        return q;
    }
}
