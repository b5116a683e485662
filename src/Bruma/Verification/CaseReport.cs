using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Collects the comparisons of one case: the worst tensor, and the first that deviates.</summary>
public sealed class CaseReport(GoldenCase golden)
{
    private readonly List<string> _failures = [];

    public bool Passed => _failures.Count == 0 && Compared > 0;

    /// <summary>How many values, strings or tensors were compared: a case that compares nothing does not pass.</summary>
    public int Compared { get; private set; }

    public double MaxAbsoluteError { get; private set; }

    public double MaxRelativeError { get; private set; }

    /// <summary>In the order in which they were found: for taps the first is where a deviation begins.</summary>
    public IReadOnlyList<string> Failures => Compared == 0 && _failures.Count == 0 ? ["nothing was compared"] : _failures;

    /// <summary>Compares a result with the stored tensor of the same name under the case's tolerance.</summary>
    public void Compare(string name, Tensor actual)
    {
        using var scope = NewDisposeScope();
        Compare(name, actual, golden.Tensor(name));
    }

    /// <summary>|actual - expected| &lt;= atol + rtol |expected| for every element, equal shapes, integers equal; NaN never passes.</summary>
    public void Compare(string name, Tensor actual, Tensor expected)
    {
        using var scope = NewDisposeScope();
        Compared++;
        if (!actual.shape.SequenceEqual(expected.shape))
        {
            Fail($"{name}: shape [{string.Join(", ", actual.shape)}], expected [{string.Join(", ", expected.shape)}]");
            return;
        }
        if (expected.numel() == 0)
            return;

        var (a, e) = (actual.detach().cpu().to(float64), expected.to(float64));
        var exact = !expected.is_floating_point();
        var (atol, rtol) = exact ? (0, 0) : (golden.AbsoluteTolerance, golden.RelativeTolerance);
        var error = (a - e).abs();
        var bad = (error <= atol + rtol * e.abs()).logical_not(); // also true for NaN
        // equal infinities are equal
        bad = bad.logical_and((a == e).logical_not());
        var largest = where(a == e, zeros_like(error), error).max().item<double>();
        MaxAbsoluteError = Worst(MaxAbsoluteError, largest);
        MaxRelativeError = Worst(MaxRelativeError, (where(a == e, zeros_like(error), error) / e.abs().clamp_min(1e-12)).max().item<double>());
        var count = bad.sum().item<long>();
        if (count > 0)
            Fail($"{name}: {count} of {bad.numel()} values deviate, by at most {largest:g3} (allowed {atol:g3} + {rtol:g3} |expected|)");
    }

    /// <summary>Compares numbers of the spec under the case's tolerance.</summary>
    public void Compare(string name, IReadOnlyCollection<double> actual, IReadOnlyCollection<double> expected) =>
        Compare(name, tensor(actual.ToArray(), ScalarType.Float64), tensor(expected.ToArray(), ScalarType.Float64));

    public void Compare(string name, double actual, double expected) => Compare(name, [actual], [expected]);

    /// <summary>Strings, integers and the like must be equal.</summary>
    public void CompareExact<T>(string name, T actual, T expected)
    {
        Compared++;
        if (!EqualityComparer<T>.Default.Equals(actual, expected))
            Fail($"{name}: {actual}, expected {expected}");
    }

    public void CompareExact<T>(string name, IEnumerable<T> actual, IEnumerable<T> expected)
    {
        Compared++;
        var (a, e) = (actual.ToList(), expected.ToList());
        if (!a.SequenceEqual(e))
            Fail($"{name}: {string.Join(" ", a.Take(20))}, expected {string.Join(" ", e.Take(20))}");
    }

    public void Fail(string what) => _failures.Add(what);

    private static double Worst(double a, double b) => double.IsNaN(a) || double.IsNaN(b) ? double.NaN : Math.Max(a, b);
}
