using System.Globalization;
using System.Text.Json;
using Bruma.Hub;
using Bruma.Reports;
using ScottPlot;

namespace Bruma.Recipes;

/// <summary>One table and one plot of a comparison of position encodings: <c>report.html</c>, <c>positions.png</c>, <c>results.json</c>.</summary>
public static class PositionReport
{
    private const string Plot = "positions.png";
    private static readonly JsonSerializerOptions Snake = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <returns>The table for people, a line each.</returns>
    public static IReadOnlyList<string> Write(string folder, PositionOptions options, IReadOnlyList<PositionResult> results)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, "results.json"), JsonSerializer.Serialize(new { options, factors = PositionComparison.Factors, results }, Snake) + "\n");
        Draw(Path.Combine(folder, Plot), options, results);
        var (headers, rows) = Table(options, results);
        AtomicFile.WriteText(Path.Combine(folder, "report.html"), new HtmlReport($"Position encodings: {options.Task} and characters")
            .Paragraph($"The same transformer (width {options.Width}, {options.Heads} heads, {options.Layers} layers) with each position encoding, everything else equal, seed {options.Seed}. "
                + $"Task: {options.Task} of random letters, trained on 2 to {options.Length} letters for {options.Steps} steps of {options.BatchSize}; measured on {options.Examples} unseen strings of once, twice and four times that length."
                + (options.Text is null ? "" : $" Text: characters of {Path.GetFileName(options.Text)}, trained with windows of {options.Context} for {options.TextSteps} steps; measured in bits for each character of held-out text with windows of once, twice and four times that length."))
            .Table(headers, rows)
            .Picture(Plot, "Beyond 1x lies what training never showed.", smooth: true)
            .Heading("How to read it")
            .List(
            [
                "At 1x the question is what can be learned, beyond it what carries over to lengths that training never showed.",
                "\"none\" is not blind in a causal decoder: the mask alone tells how many tokens came before. An encoder without positions sees a bag of letters.",
                "Learned positions behind the trained length are as the start weights left them.",
                "One seed and a short training: differences of a few points mean nothing.",
            ]).ToString());
        return [string.Join("  ", headers.Select((header, i) => header.PadRight(Width(headers, rows, i)))), .. rows.Select(row => string.Join("  ", row.Select((cell, i) => i == 0 ? cell.PadRight(Width(headers, rows, i)) : cell.PadLeft(Width(headers, rows, i)))))];
    }

    private static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Table(PositionOptions options, IReadOnlyList<PositionResult> results)
    {
        List<string> headers = ["positions", .. PositionComparison.Factors.Select(factor => $"exact {factor}x"), .. PositionComparison.Factors.Select(factor => $"letters {factor}x")];
        if (options.Text is not null)
            headers.AddRange(PositionComparison.Factors.Select(factor => $"bits {factor}x"));
        headers.AddRange(["parameters", "seconds"]);
        var rows = results.Select(result => (IReadOnlyList<string>)
        [
            result.Kind, .. result.Exact.Select(Percent), .. result.Characters.Select(Percent), .. result.BitsPerCharacter.Select(bits => bits.ToString("0.000", CultureInfo.InvariantCulture)),
            result.Parameters.ToString(CultureInfo.InvariantCulture), result.Seconds.ToString("0", CultureInfo.InvariantCulture),
        ]).ToList();
        return (headers, rows);
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0}%");

    private static int Width(IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows, int column) => rows.Select(row => row[column].Length).Append(headers[column].Length).Max();

    private static void Draw(string path, PositionOptions options, IReadOnlyList<PositionResult> results)
    {
        var panels = new List<(string Title, string Axis, Func<PositionResult, IReadOnlyList<double>> Values)> { ($"{options.Task}: letters at their place", "%", result => [.. result.Characters.Select(share => 100 * share)]) };
        if (options.Text is not null)
            panels.Add(("held-out text", "bits a character (lower is better)", result => result.BitsPerCharacter));
        var pages = new Multiplot();
        while (pages.Count() < panels.Count)
            pages.AddPlot();
        pages.Layout = new ScottPlot.MultiplotLayouts.Columns();
        foreach (var ((title, axis, values), i) in panels.Select((panel, i) => (panel, i)))
            Panel(pages.GetPlot(i), title, axis, results, values);
        pages.SavePng(path, 560 * panels.Count, 460);
    }

    private static void Panel(Plot plot, string title, string axis, IReadOnlyList<PositionResult> results, Func<PositionResult, IReadOnlyList<double>> values)
    {
        var palette = new ScottPlot.Palettes.Category10();
        var at = Enumerable.Range(0, PositionComparison.Factors.Count).Select(i => (double)i).ToArray();
        MarkerShape[] shapes = [MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledDiamond, MarkerShape.FilledTriangleUp, MarkerShape.FilledTriangleDown, MarkerShape.OpenCircle];
        foreach (var (result, i) in results.Select((result, i) => (result, i)))
        {
            var line = plot.Add.Scatter(at, values(result).ToArray(), palette.GetColor(i));
            (line.LegendText, line.LineWidth, line.MarkerSize, line.MarkerShape) = (result.Kind, 2, 9, shapes[i % shapes.Length]);
        }
        plot.Title(title, 14);
        plot.YLabel(axis);
        plot.XLabel("length, as a multiple of the trained one");
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(at, [.. PositionComparison.Factors.Select(factor => $"{factor}x")]);
        plot.Axes.SetLimitsX(-0.2, at[^1] + 0.2);
        if (axis == "%")
            plot.Axes.SetLimitsY(-3, 103);
        (plot.Axes.Bottom.Label.FontSize, plot.Axes.Left.Label.FontSize) = (12, 12);
        plot.Legend.FontSize = 11;
        plot.ShowLegend(Edge.Bottom);
    }
}
