namespace Bruma.Diffusion.Schedulers;

/// <summary>Noise levels between a largest and a smallest one, falling.</summary>
internal static class SigmaCurve
{
    public static double[] Between(SigmaSpacing spacing, double largest, double smallest, int count) => spacing switch
    {
        SigmaSpacing.Karras => Karras(largest, smallest, count, 7),
        SigmaSpacing.Exponential => Exponential(largest, smallest, count),
        SigmaSpacing.Beta => [.. Linspace(1, 0, count).Select(p => smallest + BetaDistribution.Quantile(p, 0.6, 0.6) * (largest - smallest))],
        _ => throw new ArgumentOutOfRangeException(nameof(spacing)),
    };

    public static double[] Karras(double largest, double smallest, int count, double rho)
    {
        var (from, to) = (Math.Pow(largest, 1 / rho), Math.Pow(smallest, 1 / rho));
        return [.. Linspace(from, to, count).Select(root => Math.Pow(root, rho))];
    }

    public static double[] Exponential(double largest, double smallest, int count) =>
        [.. Linspace(Math.Log(largest), Math.Log(smallest), count).Select(Math.Exp)];

    /// <summary>Evenly from one end to the other; a single value is the first end.</summary>
    public static double[] Linspace(double from, double to, int count) =>
        [.. Enumerable.Range(0, count).Select(i => count == 1 ? from : i == count - 1 ? to : from + i * ((to - from) / (count - 1)))];
}
