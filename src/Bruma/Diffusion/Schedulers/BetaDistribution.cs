namespace Bruma.Diffusion.Schedulers;

/// <summary>Quantiles of the beta distribution with equal shapes.</summary>
internal static class BetaDistribution
{
    /// <summary>The x below which Beta(a, b) has probability p, by bisection.</summary>
    public static double Quantile(double p, double a, double b)
    {
        if (p <= 0 || p >= 1)
            return Math.Clamp(p, 0, 1);
        var (low, high) = (0.0, 1.0);
        while (high - low > 1e-16 * Math.Max(high, 1e-3) && (low + high) / 2 is var middle && middle > low && middle < high)
            (low, high) = Cumulative(middle, a, b) < p ? (middle, high) : (low, middle);
        return (low + high) / 2;
    }

    /// <summary>The regularised incomplete beta function I_x(a, b).</summary>
    public static double Cumulative(double x, double a, double b)
    {
        if (x <= 0 || x >= 1)
            return Math.Clamp(x, 0, 1);
        // the continued fraction converges fast below the mean; I_x(a, b) = 1 - I_{1-x}(b, a)
        return x < (a + 1) / (a + b + 2) ? Front(x, a, b) * Fraction(x, a, b) / a : 1 - Front(x, a, b) * Fraction(1 - x, b, a) / b;
    }

    private static double Front(double x, double a, double b) =>
        Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * Math.Log(x) + b * Math.Log(1 - x));

    // Abramowitz and Stegun 26.5.8, evaluated by Lentz's method
    private static double Fraction(double x, double a, double b)
    {
        const double tiny = 1e-300;
        var (c, d) = (1.0, 1 / (1 - (a + b) * x / (a + 1)));
        var value = d;
        for (var m = 1; m < 500; m++)
        {
            var even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            var odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            var before = value;
            foreach (var term in (ReadOnlySpan<double>)[even, odd])
            {
                d = 1 + term * d;
                c = 1 + term / c;
                d = 1 / (Math.Abs(d) < tiny ? tiny : d);
                c = Math.Abs(c) < tiny ? tiny : c;
                value *= c * d;
            }
            if (Math.Abs(value - before) < 1e-15 * Math.Abs(value))
                break;
        }
        return value;
    }

    // Stirling's series after moving the argument above 10
    private static double LogGamma(double x)
    {
        var shift = 0.0;
        for (; x < 10; x++)
            shift -= Math.Log(x);
        var inverse = 1 / (x * x);
        return shift + (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI)
            + (1.0 / 12 - inverse * (1.0 / 360 - inverse * (1.0 / 1260 - inverse / 1680))) / x;
    }
}
