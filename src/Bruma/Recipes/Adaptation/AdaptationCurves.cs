using Bruma.Training;
using ScottPlot;

namespace Bruma.Recipes.Adaptation;

/// <summary>Loss over training, that of the watched pictures, and KID and copies where samples were measured on the way.</summary>
internal static class AdaptationCurves
{
    /// <returns>Whether there was anything to draw.</returns>
    public static bool Write(string path, RunFolder folder)
    {
        var rows = folder.ReadStats("step", "loss", "validation_loss", "kid", "copies");
        if (rows.Count == 0)
            return false;
        using var plot = new Plot();
        var window = Math.Max(1, rows.Count / 50);
        var stride = Math.Max(1, rows.Count / 1000);
        var means = rows.Zip(LossPlot.RunningMean(rows.Select(row => row[1]), window), (row, mean) => (Step: row[0], Loss: mean)).Where((_, i) => i % stride == 0).ToList();
        var loss = plot.Add.ScatterLine(means.Select(point => point.Step).ToArray(), means.Select(point => point.Loss).ToArray(), Colors.SteelBlue);
        loss.LegendText = window == 1 ? "training loss" : $"training loss, mean of {window} steps";
        if (rows.Where(row => double.IsFinite(row[2])).ToList() is { Count: > 0 } watched)
            plot.Add.Scatter(watched.Select(row => row[0]).ToArray(), watched.Select(row => row[2]).ToArray(), Colors.DarkOrange).LegendText = "pictures not trained on, same noise at 8 levels";
        foreach (var (column, name, color) in new[] { (3, "KID of samples (right)", Colors.SeaGreen), (4, "share of copies (right)", Colors.Crimson) })
            if (rows.Where(row => double.IsFinite(row[column])).ToList() is { Count: > 0 } measured)
            {
                var line = plot.Add.Scatter(measured.Select(row => row[0]).ToArray(), measured.Select(row => row[column]).ToArray(), color);
                line.Axes.YAxis = plot.Axes.Right;
                line.LegendText = name;
            }
        plot.XLabel("step");
        plot.YLabel("loss");
        plot.ShowLegend(Alignment.UpperRight);
        plot.SavePng(path, 900, 500);
        return true;
    }
}
