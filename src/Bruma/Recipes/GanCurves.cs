using ScottPlot;

namespace Bruma.Recipes;

/// <summary>The curves of a game in one picture: losses, gradient norms, what the discriminator says of real and fake, and the distance to real pictures.</summary>
public static class GanCurves
{
    /// <summary>The columns of <c>stats.jsonl</c> that <see cref="Write"/> takes, in order.</summary>
    public static readonly string[] Columns = ["step", "loss", "loss_d", "gradient_norm", "gradient_norm_d", "d_real", "d_fake"];

    private const int MostPoints = 1500;
    private const int Width = 900;
    private const int PanelHeight = 260;

    /// <param name="rows">By <see cref="Columns"/>.</param>
    /// <param name="measures">Measurements so far.</param>
    public static void Write(string path, IReadOnlyList<double[]> rows, IReadOnlyList<SampleMeasures> measures)
    {
        var window = Math.Max(1, rows.Count / 100);
        var panels = measures.Count > 0 ? 4 : 3;
        var plots = new Multiplot();
        plots.AddPlots(panels);
        plots.Layout = new ScottPlot.MultiplotLayouts.Rows();
        Lines(plots.GetPlot(0), "losses", rows, window, (1, "generator", Colors.DarkOrange), (2, "discriminator", Colors.SteelBlue));
        Lines(plots.GetPlot(1), "gradient norms", rows, window, (3, "generator", Colors.DarkOrange), (4, "discriminator", Colors.SteelBlue));
        Lines(plots.GetPlot(2), "logits of the discriminator", rows, window, (5, "real pictures", Colors.SeaGreen), (6, "generated pictures", Colors.Crimson));
        if (measures.Count > 0)
            Distances(plots.GetPlot(3), measures);
        plots.GetPlot(panels - 1).XLabel("step");
        plots.SavePng(path, Width, panels * PanelHeight);
    }

    private static void Lines(Plot plot, string title, IReadOnlyList<double[]> rows, int window, params (int Column, string Name, Color Color)[] lines)
    {
        var shown = new List<double>();
        foreach (var (column, name, color) in lines)
        {
            var (steps, values) = Smooth(rows, column, window);
            var line = plot.Add.ScatterLine(steps, values, color);
            line.LegendText = name;
            line.LineWidth = 1.5f;
            shown.AddRange(values.Skip(values.Length / 20).Where(double.IsFinite)); // the first steps of a run dwarf the rest
        }
        if (shown.Count > 0 && shown.Max() > shown.Min())
            plot.Axes.SetLimitsY(shown.Min() - 0.1 * (shown.Max() - shown.Min()), shown.Max() + 0.1 * (shown.Max() - shown.Min()));
        plot.YLabel(title);
        plot.ShowLegend(Alignment.UpperRight);
    }

    private static void Distances(Plot plot, IReadOnlyList<SampleMeasures> measures)
    {
        double[] steps = [.. measures.Select(row => (double)row.Step)];
        var distance = plot.Add.Scatter(steps, measures.Select(row => row.Frechet).ToArray(), Colors.SteelBlue);
        distance.LegendText = $"FD-{measures[0].Network}";
        var kernel = plot.Add.Scatter(steps, measures.Select(row => 1000 * row.Kernel).ToArray(), Colors.DarkOrange);
        kernel.LegendText = "KID x 1000 (right)";
        kernel.Axes.YAxis = plot.Axes.Right;
        plot.Axes.SetLimitsY(0, measures.Max(row => row.Frechet) * 1.1 + 1e-9);
        plot.Axes.Right.Label.Text = "KID x 1000";
        plot.YLabel("distance to real");
        plot.ShowLegend(Alignment.UpperRight);
    }

    /// <summary>Running means, thinned to what a picture can show.</summary>
    private static (double[] Steps, double[] Values) Smooth(IReadOnlyList<double[]> rows, int column, int window)
    {
        var stride = Math.Max(1, rows.Count / MostPoints);
        var places = Enumerable.Range(0, rows.Count).Where(i => i % stride == 0 || i == rows.Count - 1).ToArray();
        return ([.. places.Select(i => rows[i][0])], [.. places.Select(i => Enumerable.Range(Math.Max(0, i + 1 - window), Math.Min(window, i + 1)).Average(j => rows[j][column]))]);
    }
}
