using ScottPlot;

namespace Bruma.Recipes.LookInside;

/// <summary>Vectors as labelled points, and how well they tell senses apart.</summary>
internal static class EmbeddingPlots
{
    /// <param name="groups">Of each point, for its colour.</param>
    public static void Points(string path, string title, IReadOnlyList<(double X, double Y)> points, IReadOnlyList<string> names, IReadOnlyList<string> groups)
    {
        using var plot = new Plot();
        var colors = new ScottPlot.Palettes.Category10();
        foreach (var (group, index) in groups.Distinct().Select((group, i) => (group, i)))
        {
            var members = Enumerable.Range(0, points.Count).Where(i => groups[i] == group).ToList();
            var marks = plot.Add.ScatterPoints(members.Select(i => points[i].X).ToArray(), members.Select(i => points[i].Y).ToArray(), colors.GetColor(index));
            (marks.MarkerSize, marks.LegendText) = (9, group);
            foreach (var i in members)
            {
                var text = plot.Add.Text(names[i], points[i].X, points[i].Y);
                (text.LabelFontSize, text.LabelFontColor, text.OffsetX, text.OffsetY) = (11, colors.GetColor(index).Darken(0.3), 6, -4);
            }
        }
        plot.Title(title);
        var (left, right) = (points.Min(point => point.X), points.Max(point => point.X));
        plot.Axes.SetLimitsX(left - 0.05 * (right - left), right + 0.45 * (right - left)); // names stand to the right of their points
        plot.Axes.Left.TickLabelStyle.IsVisible = plot.Axes.Bottom.TickLabelStyle.IsVisible = false;
        plot.ShowLegend(Alignment.UpperRight);
        plot.SavePng(path, 1000, 640);
    }

    public static void Silhouettes(string path, IReadOnlyList<SenseRow> rows)
    {
        using var plot = new Plot();
        var bars = rows.Select((row, i) => new Bar { Position = rows.Count - i, Value = row.Mean.Silhouette, FillColor = row.Vectors.Contains("layer", StringComparison.Ordinal) ? Colors.SteelBlue : Colors.Gray }).ToArray();
        plot.Add.Bars(bars).Horizontal = true;
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. rows.Select((_, i) => (double)(rows.Count - i))], [.. rows.Select(row => row.Vectors)]);
        plot.Axes.Left.MinimumSize = 270;
        plot.XLabel("silhouette of the senses");
        plot.SavePng(path, 900, 40 * rows.Count + 90);
    }
}
