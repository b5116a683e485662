using ScottPlot;

namespace Bruma.Training;

/// <summary>The loss and the learning rate of a run as a picture.</summary>
public static class LossPlot
{
    private const int MostPoints = 2000;

    /// <param name="path">PNG file.</param>
    /// <param name="rows">Step, loss and learning rate, in order.</param>
    public static void Write(string path, IReadOnlyList<(long Step, double Loss, double LearningRate)> rows)
    {
        using var plot = new Plot();
        var window = Math.Max(1, rows.Count / 50);
        var stride = Math.Max(1, rows.Count / MostPoints);
        bool IsShown(int i) => i % stride == 0 || i == rows.Count - 1;
        var shown = rows.Where((_, i) => IsShown(i)).ToArray();
        var steps = shown.Select(row => (double)row.Step).ToArray();

        var raw = plot.Add.ScatterLine(steps, [.. shown.Select(row => row.Loss)], Colors.SteelBlue.WithAlpha(0.35));
        raw.LegendText = "loss";
        var mean = plot.Add.ScatterLine(steps, [.. RunningMean(rows.Select(row => row.Loss), window).Where((_, i) => IsShown(i))], Colors.SteelBlue);
        mean.LineWidth = 2;
        mean.LegendText = $"mean of {window} steps";
        var rate = plot.Add.ScatterLine(steps, [.. shown.Select(row => row.LearningRate)], Colors.DarkOrange);
        rate.Axes.YAxis = plot.Axes.Right;
        rate.LegendText = "learning rate (right)";

        // the first steps of a run dwarf the rest: the axis shows what the later ones do
        var settled = rows.Skip(rows.Count / 20).Select(row => row.Loss).DefaultIfEmpty(1).ToArray();
        plot.Axes.SetLimitsY(0, settled.Max() * 1.15);
        plot.XLabel("step");
        plot.YLabel("loss");
        plot.Axes.Right.Label.Text = "learning rate";
        plot.ShowLegend(Alignment.UpperRight);
        plot.SavePng(path, 900, 500);
    }

    /// <summary>Of every value and those before it, as many as the window has.</summary>
    public static IEnumerable<double> RunningMean(IEnumerable<double> values, int window)
    {
        var sums = new List<double> { 0 };
        foreach (var value in values)
        {
            sums.Add(sums[^1] + value);
            var count = Math.Min(window, sums.Count - 1);
            yield return (sums[^1] - sums[^(count + 1)]) / count;
        }
    }
}
