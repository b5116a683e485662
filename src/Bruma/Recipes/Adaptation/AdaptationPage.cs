using System.Globalization;
using System.Text.Json.Nodes;
using Bruma.Hub;
using Bruma.Metrics;
using Bruma.Reports;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary><c>report.html</c> of a model, its sheets and <c>metrics.json</c>.</summary>
internal static class AdaptationPage
{
    private static readonly (string Key, string Name)[] Columns =
    [
        (SetComparison.Frechet, "FD"), (SetComparison.KidMean, "KID"), ("precision", "precision"), ("recall", "recall"), ("coverage", "coverage"), ("vendi", "Vendi"), ("pair_distance", "distance between samples"), ("copies", "copies"),
    ];

    /// <param name="place">Where the page goes, and the run where there is one.</param>
    public static void Write((string Output, RunFolder? Run) place, (AdaptationOptions Run, AdaptationReportOptions Report) options, AdaptationFindings findings, EvaluationPictures pictures, FeatureNetwork network)
    {
        using var scope = NewDisposeScope();
        var folder = Path.Combine(place.Output, "report");
        var sheets = EvaluationSheets.WriteOfRun(folder, pictures);
        var hasCurves = place.Run is { } run && AdaptationCurves.Write(Path.Combine(folder, "curves.png"), run);
        AtomicFile.WriteText(Path.Combine(folder, "metrics.json"), Json(options.Report, findings, network).ToJsonString(ReadableJson.Options) + "\n");
        AtomicFile.WriteText(Path.Combine(place.Output, "report.html"), Page(place, options, findings, (sheets, hasCurves), (network, pictures.Real.Count)));
    }

    private static string Page((string Output, RunFolder? Run) place, (AdaptationOptions Run, AdaptationReportOptions Report) options, AdaptationFindings findings, (IReadOnlyList<(string File, string Caption)> Sheets, bool Curves) shown, (FeatureNetwork Network, int Reference) measured)
    {
        var page = new HtmlReport($"{Path.GetFileName(options.Report.Run.TrimEnd('/'))}: {options.Run.Recipe} on {Path.GetFileName(options.Run.Data.TrimEnd('/'))}");
        page.Heading("Verdict").List(findings.Verdict);
        foreach (var note in findings.Notes)
            page.Note(note);
        Picture(page, shown.Sheets[0]);
        page.Heading("Figures").Table(["pictures", "n", .. Columns.Select(column => column.Name)], findings.Sets.Select(Row));
        page.Paragraph($"Drawn with {findings.Settings}. Against {measured.Reference} photos outside the test part. Each picture is cut to the square around the head where it is known, else to the middle, brought to 64 px (bicubic), and seen by {measured.Network.Name}. FD, precision, recall, coverage (k = 5), Vendi and distances are of {findings.DrawSize} pictures: means over draws with 1.96 deviations where a set has more, else with the jackknife's interval. KID ± is the deviation over 100 subsets of 70 (or of nine tenths where there are fewer). A copy is much nearer to one photo than to the next fifty (d1 / mean(d2..d51) < 1/3).");
        if (findings.Outlines is { } outlines)
            Outlines(page, outlines);
        if (options.Run.IsSteered)
            page.Heading("Asked and drawn").Picture($"report/{AdaptationReport.SteeredSheet}", "What steers, what was drawn after it, and what the base draws from the same noise without it.", smooth: true);
        foreach (var sheet in shown.Sheets.Skip(1))
            Picture(page, sheet);
        if (shown.Curves)
            page.Heading("Curves").Picture("report/curves.png", "Training loss, and the loss of the pictures that are not trained on, always with the same noise.", smooth: true);
        if (File.Exists(Path.Combine(place.Output, "learned.png")))
            page.Heading("How it learned").Picture("learned.png", "From the same noise, earliest at the top.");
        page.Heading("Settings");
        if (place.Run is not null)
            page.Preformatted(options.Run.ToJson());
        return page.Preformatted(FormattableString.Invariant($"bruma report {options.Report.Run}{(options.Report.Data is { } data ? $" --data {data}" : "")} --count {options.Report.Count} --seed {options.Report.Seed}\nfeatures: {measured.Network.Name}, SHA-256 {measured.Network.Hash}")).ToString();
    }

    private static void Picture(HtmlReport page, (string File, string Caption) sheet) =>
        page.Heading(sheet.Caption.Split(": ", 2)[0]).Picture($"report/{sheet.File}", sheet.Caption.Split(": ", 2)[1]);

    private static void Outlines(HtmlReport page, OutlineFindings outlines)
    {
        page.Heading("Outlines").Table(["pictures", "F1 with the asked outline", "F1 with the outlines of others"],
        [
            ["samples of this run", Share(outlines.Samples.Asked), Share(outlines.Samples.Others)],
            ["the base, which sees no outline", Share(outlines.Base.Asked), Share(outlines.Base.Others)],
        ]);
        page.Paragraph("F1 of edge pixels within 1 px. What the second column has is agreement by chance.");

        static string Share(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
    }

    private static string[] Row(MeasuredSet set) => [set.Label, $"{set.Count}", .. Columns.Select(column => Cell(set, column.Key))];

    private static string Cell(MeasuredSet set, string key)
    {
        if (set.Values.GetValueOrDefault(key) is not { } value)
            return "";
        if (key == "copies")
            return (100 * value.Value).ToString("0.#", CultureInfo.InvariantCulture) + " %";
        var text = EvaluationNumbers.Text(value.Value);
        if (key == SetComparison.KidMean)
            return set[SetComparison.KidDeviation] is { } deviation ? $"{text} ± {EvaluationNumbers.Text(deviation)}" : text;
        return EvaluationNumbers.Interval(value) is { Length: > 0 } interval ? $"{text} ({interval})" : text;
    }

    private static JsonObject Json(AdaptationReportOptions options, AdaptationFindings findings, FeatureNetwork network)
    {
        static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;
        static JsonNode Value(Measured measured) => measured is { Low: { } low, High: { } high } ? new JsonObject { ["value"] = Number(measured.Value), ["low"] = Number(low), ["high"] = Number(high) } : new JsonObject { ["value"] = Number(measured.Value) };
        static JsonObject Pair((double Asked, double Others) f1) => new() { ["f1_asked"] = Number(f1.Asked), ["f1_others"] = Number(f1.Others) };
        var json = new JsonObject { ["features"] = network.Name, ["features_sha256"] = network.Hash, ["count"] = options.Count, ["seed"] = options.Seed, ["draw_size"] = findings.DrawSize };
        foreach (var set in findings.Sets)
            json[set.Key] = new JsonObject([new("count", set.Count), .. set.Values.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Value(pair.Value)))]);
        if (findings.Outlines is { } outlines)
            json["outlines"] = new JsonObject { ["samples"] = Pair(outlines.Samples), ["base"] = Pair(outlines.Base) };
        json["verdict"] = new JsonArray([.. findings.Verdict.Select(text => (JsonNode)text)]);
        json["notes"] = new JsonArray([.. findings.Notes.Select(text => (JsonNode)text)]);
        return json;
    }
}
