using Bruma.Training;
using ScottPlot;

namespace Bruma.Recipes;

/// <summary>What <see cref="TrainingMeasure"/> found over a run, as a picture: the Fréchet distance on the left, KID on the right.</summary>
public static class MeasurePlot
{
    /// <param name="path">PNG file.</param>
    /// <param name="folder">The run.</param>
    /// <param name="names">Of the Fréchet distance and of KID, as in <c>stats.jsonl</c>.</param>
    /// <returns>Whether there was anything to draw.</returns>
    public static bool Write(string path, RunFolder folder, IReadOnlyList<string> names)
    {
        var rows = folder.ReadStats("step", names[0], names[1]).Where(row => double.IsFinite(row[1])).ToList();
        if (rows.Count == 0)
            return false;
        using var plot = new Plot();
        var steps = rows.Select(row => row[0]).ToArray();
        var frechet = plot.Add.Scatter(steps, rows.Select(row => row[1]).ToArray(), Colors.SteelBlue);
        frechet.LegendText = names[0];
        var kernel = plot.Add.Scatter(steps, rows.Select(row => row[2]).ToArray(), Colors.DarkOrange);
        kernel.LegendText = $"{names[1]} (right)";
        kernel.Axes.YAxis = plot.Axes.Right;
        plot.Axes.SetLimitsY(0, rows.Max(row => row[1]) * 1.1);
        plot.XLabel("step");
        plot.YLabel(names[0]);
        plot.Axes.Right.Label.Text = names[1];
        plot.ShowLegend(Alignment.UpperRight);
        plot.SavePng(path, 900, 500);
        return true;
    }
}
