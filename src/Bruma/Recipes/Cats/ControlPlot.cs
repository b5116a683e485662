using ScottPlot;

namespace Bruma.Recipes.Cats;

/// <summary>What guidance buys and costs, in one picture.</summary>
internal static class ControlPlot
{
    /// <param name="values">For each scale: breed as asked, recall, coverage.</param>
    public static void Write(string path, double[] scales, IReadOnlyList<IReadOnlyList<double?>> values)
    {
        using var plot = new Plot();
        foreach (var (column, name, colour) in new[] { (0, "breed as asked", Colors.SteelBlue), (1, "recall", Colors.DarkOrange), (2, "coverage", Colors.SeaGreen) })
            plot.Add.Scatter(scales, values.Select(row => row[column] ?? double.NaN).ToArray(), colour).LegendText = name;
        plot.Axes.SetLimitsY(0, 1.05);
        plot.XLabel("guidance");
        plot.YLabel("share");
        plot.ShowLegend(Alignment.LowerRight);
        plot.SavePng(path, 900, 500);
    }
}
