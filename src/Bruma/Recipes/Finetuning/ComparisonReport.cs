using System.Globalization;
using System.Text.Json;
using Bruma.Hub;
using Bruma.Reports;
using ScottPlot;

namespace Bruma.Recipes.Finetuning;

/// <summary>The rows of a comparison's tables.</summary>
public sealed record ComparisonTables(IReadOnlyList<ComparedRun> Runs, IReadOnlyList<ComparedRun> Schedules, IReadOnlyList<ComparedRun> Accumulations);

/// <summary>A comparison as a page, as a Markdown table and as JSON.</summary>
internal static class ComparisonReport
{
    private const int Mistakes = 12;

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Student's t for 95 % and 1 to 10 degrees of freedom.</summary>
    private static readonly double[] StudentT = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

    private static readonly string[] Headers = ["", "accuracy", "95 % over seeds", "seeds", "macro F1", "trained parameters", "seconds", "peak memory, MB"];

    /// <returns>The page.</returns>
    public static string Write(string folder, ComparisonPlan plan, ComparisonTables tables)
    {
        var rows = tables.Runs.GroupBy(run => run.Name).Select(Row).ToList();
        var best = tables.Runs.Where(run => run.Folder.Length > 0).GroupBy(run => run.Name).MaxBy(runs => runs.Average(run => run.Accuracy))!.First();
        var (scores, shown) = Predictions(best.Folder);
        var page = new HtmlReport($"{Path.GetFileName(plan.Base.Model)} on {Path.GetFileName(plan.Base.Data)}")
            .Table(Headers, rows)
            .Paragraph(string.Create(CultureInfo.InvariantCulture, $"{scores.Labels.Count} test examples: one standard error of an accuracy near {scores.Accuracy:P0} is {100 * scores.StandardError:0.0} points, so one of a difference between two rows is at most {141 * scores.StandardError:0.0}, and what is below two of them may be chance. The interval shows what seeds alone change{(plan.Base.HasTestFile() ? "" : "; each seed has a split of its own")}. Curves show test accuracy per epoch; nothing was chosen by it."));
        var differences = ComparedDifferences.Of(tables.Runs, scores.StandardError).ToList();
        page.List(differences);
        if (Curves(folder, tables.Runs, plan.Seeds[0]))
            page.Heading("Learning curves").Picture("curves.png", $"left: training loss, mean over steps; right: test accuracy per epoch; seed {plan.Seeds[0]}", smooth: true);
        AddSides(page, plan, tables);
        ClassificationReport.Confusion(Path.Combine(folder, "confusion.png"), scores);
        page.Heading($"Who is taken for whom: {best.Name}, seed {best.Seed}").Picture("confusion.png", "rows: the label; columns: the prediction", smooth: true).Heading("Its most confident mistakes");
        AddMistakes(page, plan, scores, shown);
        var path = Path.Combine(folder, "comparison.html");
        AtomicFile.WriteText(path, page.ToString());
        AtomicFile.WriteText(Path.Combine(folder, "comparison.md"), string.Join("\n", [Markdown(rows), .. differences.Select(line => $"- {line}"), ""]));
        AtomicFile.WriteText(Path.Combine(folder, "comparison.json"), JsonSerializer.Serialize(tables, Readable) + "\n");
        return path;
    }

    private static string[] Row(IGrouping<string, ComparedRun> runs)
    {
        var accuracies = runs.Select(run => run.Accuracy).ToList();
        return [runs.Key, Share(accuracies.Average()), Interval(accuracies), $"{accuracies.Count}", runs.Average(run => run.MacroF1).ToString("0.000", CultureInfo.InvariantCulture),
            runs.First().Trained.ToString("N0", CultureInfo.InvariantCulture), runs.Average(run => run.Seconds).ToString("0.0", CultureInfo.InvariantCulture), runs.Max(run => run.PeakMegabytes) is > 0 and var peak ? peak.ToString("0", CultureInfo.InvariantCulture) : ""];
    }

    private static string Interval(List<double> values)
    {
        if (values.Count < 2)
            return "";
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        var half = StudentT[Math.Min(values.Count - 2, StudentT.Length - 1)] * deviation / Math.Sqrt(values.Count);
        return $"{Share(mean - half)} to {Share(mean + half)}";
    }

    private static void AddSides(HtmlReport page, ComparisonPlan plan, ComparisonTables tables)
    {
        if (tables.Schedules.Count > 0)
            page.Heading($"Learning-rate schedules, strategy {plan.SideStrategy}").Table(["schedule", .. Headers[1..]], tables.Schedules.GroupBy(run => run.Name).Select(Row));
        if (tables.Accumulations.Count > 0)
            page.Heading("Gradient accumulation").Paragraph("The same effective batch of the same examples, without dropout, in fp32: the weights must agree but for rounding.")
                .Table(["batch x parts", "accuracy", "largest difference of a weight to the first row", "predictions that differ", "seconds"], tables.Accumulations.Select(run => Accumulated(run, tables.Accumulations[0])));
    }

    private static string[] Accumulated(ComparedRun run, ComparedRun first)
    {
        var (ours, theirs) = (Predictions(run.Folder).Scores.Predictions, Predictions(first.Folder).Scores.Predictions);
        return [run.Name, Share(run.Accuracy), WeightDifference.Largest(Path.Combine(run.Folder, "model"), Path.Combine(first.Folder, "model")).ToString("0.0e+00", CultureInfo.InvariantCulture),
            $"{ours.Zip(theirs).Count(pair => pair.First != pair.Second)} of {ours.Count}", run.Seconds.ToString("0.0", CultureInfo.InvariantCulture)];
    }

    private static void AddMistakes(HtmlReport page, ComparisonPlan plan, ClassificationScores scores, IReadOnlyList<string> shown)
    {
        var mistakes = scores.Mistakes().Take(Mistakes).ToList();
        if (Directory.Exists(plan.Base.Data) && mistakes.Count > 0 && File.Exists(Path.Combine(plan.Base.Data, shown[mistakes[0].Row])))
            foreach (var (row, confidence) in mistakes)
                page.EmbeddedPicture(ClassificationReport.Small(Path.Combine(plan.Base.Data, shown[row])), ClassificationReport.Mistake(scores, row, confidence, shown[row]), smooth: true);
        else
            page.Table(["text", "label", "prediction", "confidence"], mistakes.Select(pair => (string[])[shown[pair.Row], scores.Classes[scores.Labels[pair.Row]], scores.Classes[scores.Predictions[pair.Row]], Share(pair.Confidence)]));
    }

    /// <summary>Reads what a run wrote about its test examples.</summary>
    private static (ClassificationScores Scores, IReadOnlyList<string> Shown) Predictions(string folder)
    {
        var rows = File.ReadLines(Path.Combine(folder, "predictions.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        var classes = rows.SelectMany(row => new[] { row.GetProperty("label").GetString()!, row.GetProperty("prediction").GetString()! }).Distinct().Order(StringComparer.Ordinal).ToList();
        double[] Probabilities(JsonElement row)
        {
            var (probabilities, said) = (new double[classes.Count], row.GetProperty("probability").GetDouble());
            Array.Fill(probabilities, (1 - said) / Math.Max(1, classes.Count - 1));
            probabilities[classes.IndexOf(row.GetProperty("prediction").GetString()!)] = said;
            return probabilities;
        }
        return (new ClassificationScores(classes, [.. rows.Select(row => classes.IndexOf(row.GetProperty("label").GetString()!))], [.. rows.Select(Probabilities)]), [.. rows.Select(row => row.GetProperty("example").GetString()!)]);
    }

    private static bool Curves(string folder, IReadOnlyList<ComparedRun> runs, long seed)
    {
        var multiplot = new Multiplot();
        multiplot.AddPlots(2);
        var (losses, accuracies) = (multiplot.GetPlot(0), multiplot.GetPlot(1));
        var any = false;
        foreach (var run in runs.Where(run => run.Folder.Length > 0 && run.Seed == seed))
        {
            var steps = CurveFile.Read(run.Folder);
            if (steps.Count < 2)
                continue;
            any = true;
            losses.Add.ScatterLine(steps.Select(step => step.Share).ToArray(), steps.Select(step => step.MeanLoss).ToArray()).LegendText = run.Name;
            var looks = steps.Where(step => step.Accuracy is not null).ToList();
            accuracies.Add.Scatter(looks.Select(step => step.Share).ToArray(), looks.Select(step => step.Accuracy!.Value).ToArray()).LegendText = run.Name;
        }
        foreach (var (plot, label, legend) in new[] { (losses, "training loss", Alignment.UpperRight), (accuracies, "test accuracy", Alignment.LowerRight) })
        {
            plot.XLabel("share of the run");
            plot.YLabel(label);
            plot.ShowLegend(legend);
        }
        multiplot.Layout = new ScottPlot.MultiplotLayouts.Columns();
        if (any)
            multiplot.SavePng(Path.Combine(folder, "curves.png"), 1100, 420);
        return any;
    }

    private static string Markdown(IEnumerable<string[]> rows) =>
        $"| {string.Join(" | ", Headers)} |\n|{string.Concat(Headers.Select(_ => "---|"))}\n{string.Concat(rows.Select(row => $"| {string.Join(" | ", row)} |\n"))}";

    private static string Share(double value) => value.ToString("0.0 %", CultureInfo.InvariantCulture);
}
