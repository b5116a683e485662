using ScottPlot;

namespace Bruma.Training;

/// <summary>What a test with a growing learning rate tells.</summary>
/// <param name="Points">Rate and smoothed loss.</param>
/// <param name="Steepest">Rate at which the loss fell fastest.</param>
/// <param name="Lowest">Rate at which it was lowest.</param>
public sealed record LearningRateRange(IReadOnlyList<(double Rate, double Loss)> Points, double Steepest, double Lowest)
{
    private const int Reach = 5;

    /// <summary>A tenth of where the loss is lowest, or where it falls fastest if that is less: still falling, far from breaking.</summary>
    public double Suggested => Math.Min(Steepest, Lowest / 10);

    /// <exception cref="BrumaException">There are too few points to tell.</exception>
    public static LearningRateRange Of(IReadOnlyList<(double Rate, double Loss)> points)
    {
        if (points.Count <= 2 * Reach)
            throw new BrumaException($"The test took {points.Count} steps, too few to tell; the loss broke at once, or the data are too few.");
        var steepest = Enumerable.Range(Reach, points.Count - 2 * Reach).MinBy(i => (points[i + Reach].Loss - points[i - Reach].Loss) / Math.Log(points[i + Reach].Rate / points[i - Reach].Rate));
        return new LearningRateRange(points, points[steepest].Rate, points.Skip(Reach).MinBy(point => point.Loss).Rate);
    }

    /// <param name="path">PNG file.</param>
    public void Plot(string path)
    {
        using var plot = new Plot();
        plot.Add.ScatterLine(Points.Select(point => Math.Log10(point.Rate)).ToArray(), Points.Select(point => point.Loss).ToArray(), Colors.SteelBlue).LineWidth = 2;
        foreach (var (rate, name, color) in new[] { (Steepest, "falls fastest", Colors.Orange), (Lowest, "lowest", Colors.Gray), (Suggested, "suggested", Colors.SeaGreen) })
        {
            var line = plot.Add.VerticalLine(Math.Log10(rate), color: color);
            line.LegendText = FormattableString.Invariant($"{name}: {rate:0.0e+00}");
        }
        var losses = Points.Select(point => point.Loss).Order().ToList();
        plot.Axes.SetLimitsY(0.9 * losses[0], 1.1 * losses[losses.Count * 9 / 10]);
        plot.XLabel("log10 of the learning rate");
        plot.YLabel("loss, smoothed");
        plot.ShowLegend(Alignment.LowerLeft);
        plot.SavePng(path, 900, 500);
    }
}
