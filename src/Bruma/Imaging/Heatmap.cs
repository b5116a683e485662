using ScottPlot;

namespace Bruma.Imaging;

/// <summary>A matrix of numbers as a picture with names at rows and columns.</summary>
public static class Heatmap
{
    private const int Cell = 26;
    private const int LargestCells = 900;
    private const int LongestName = 34;
    private const int MostNames = 64;
    private const double Bright = 0.6; // of the scale, above which dark figures read better

    /// <param name="path">PNG file.</param>
    /// <param name="values">Row by row, from the top.</param>
    /// <param name="range">Colour scale; null for that of the values.</param>
    /// <param name="showValues">Writes each number into its cell, with two digits.</param>
    public static void Write(string path, string title, double[,] values, IReadOnlyList<string> rows, IReadOnlyList<string> columns, (double Low, double High)? range = null, bool showValues = false)
    {
        using var plot = new Plot();
        var map = plot.Add.Heatmap(values);
        map.Colormap = new ScottPlot.Colormaps.Viridis();
        if (range is { } scale)
            map.ManualRange = new ScottPlot.Range(scale.Low, scale.High);
        plot.Add.ColorBar(map);
        if (showValues)
            Label(plot, values, range ?? (values.Cast<double>().Min(), values.Cast<double>().Max()));
        plot.Title(title, 14);

        // the heatmap has its first row at the top
        Name(plot.Axes.Left, rows.Reverse());
        Name(plot.Axes.Bottom, columns);
        plot.Axes.Bottom.TickLabelStyle.Rotation = 90;
        plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleLeft;
        var (across, down) = (Size(columns), Size(rows));
        plot.Axes.Bottom.MinimumSize = across.Names;
        plot.Axes.Left.MinimumSize = down.Names;
        plot.Axes.Margins(0, 0);
        plot.SavePng(path, across.Cells + down.Names + 130, down.Cells + across.Names + 60);
    }

    private static void Label(Plot plot, double[,] values, (double Low, double High) range)
    {
        for (var row = 0; row < values.GetLength(0); row++)
            for (var column = 0; column < values.GetLength(1); column++)
            {
                var text = plot.Add.Text(values[row, column].ToString("0.00", System.Globalization.CultureInfo.InvariantCulture), column, values.GetLength(0) - 1 - row);
                (text.Alignment, text.LabelFontSize, text.LabelFontColor) = (Alignment.MiddleCenter, 10, values[row, column] > range.Low + Bright * (range.High - range.Low) ? Colors.Black : Colors.White);
            }
    }

    private static void Name(IAxis axis, IEnumerable<string> names)
    {
        var all = names.Select(Short).ToArray();
        if (all.Length <= MostNames)
            axis.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. Enumerable.Range(0, all.Length).Select(i => (double)i)], all);
    }

    private static (int Cells, int Names) Size(IReadOnlyList<string> names) =>
        (Math.Clamp(names.Count * Cell, 160, LargestCells), names.Count > MostNames ? 40 : 20 + 7 * names.Select(Short).Select(name => name.Length).DefaultIfEmpty(0).Max());

    private static string Short(string name) => name.Length <= LongestName ? name : string.Concat(name.AsSpan(0, LongestName - 1), "…");
}
