using System.Globalization;
using Bruma.Metrics;

namespace Bruma.Recipes;

/// <summary>Measured numbers as people read them: the digits that count, no exponents.</summary>
public static class EvaluationNumbers
{
    public static string Text(double value) => Math.Abs(value) switch
    {
        >= 1000 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 100 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0000", CultureInfo.InvariantCulture),
    };

    /// <summary>Empty without an interval.</summary>
    public static string Interval(Measured measured) => measured is { Low: { } low, High: { } high } ? $"{Text(low)} to {Text(high)}" : "";
}
