namespace Bruma.Diffusion.Schedulers;

/// <summary>The functions by which exponential integrators weigh the terms of a polynomial.</summary>
internal static class ExponentialIntegrals
{
    /// <summary>Σ z^j / (j + k - 1)! over j from 1: e^z - 1, (e^z - 1) / z - 1, (e^z - 1 - z) / z² - 1/2 and so on.</summary>
    /// <param name="k">1 or more.</param>
    /// <param name="z">The exponent over the step; may be -∞.</param>
    public static double Phi(int k, double z)
    {
        if (Math.Abs(z) < 0.5)
            return Series(k, z);
        var (value, factorial) = (Math.Exp(z) - 1, 1.0);
        for (var i = 1; i < k; i++)
        {
            factorial *= i;
            value = value / z - 1 / factorial;
        }
        return value;
    }

    // the recursion would cancel here
    private static double Series(int k, double z)
    {
        var term = z;
        for (var i = 2; i <= k; i++)
            term /= i;
        var sum = 0.0;
        for (var j = 1; j <= 16; j++)
        {
            sum += term;
            term *= z / (j + k);
        }
        return sum;
    }
}
