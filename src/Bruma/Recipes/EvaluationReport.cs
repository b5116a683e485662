using System.Text.Json.Nodes;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Metrics;
using Bruma.Reports;

namespace Bruma.Recipes;

/// <summary>The pictures behind the numbers.</summary>
internal sealed record EvaluationPictures(ImageSource Reference, FeatureSet Real, ImageSource Samples, FeatureSet Fake);

/// <summary><c>metrics.json</c> and <c>report.html</c> of an evaluation.</summary>
internal static class EvaluationReport
{
    public static void Write(string folder, EvaluationResult result, EvaluationPictures pictures)
    {
        Directory.CreateDirectory(folder);
        var sheets = EvaluationSheets.Write(folder, pictures);
        AtomicFile.WriteText(Path.Combine(folder, "metrics.json"), Json(result).ToJsonString(ReadableJson.Options) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, "report.html"), Page(result, sheets));
    }

    /// <summary>Numbers under torch-fidelity's keys where it has them; KID as it is, not multiplied.</summary>
    private static JsonObject Json(EvaluationResult result)
    {
        var json = new JsonObject();
        foreach (var row in result.Rows)
            json[row.Key] = Finite(row.Value.Value);
        json["features"] = result.Network;
        json["features_sha256"] = result.NetworkHash;
        json["features_width"] = result.Width;
        json["count"] = result.Count;
        json["reference_count"] = result.ReferenceCount;
        json["reference"] = result.Reference;
        json["samples"] = result.Samples;
        json["settings"] = result.Settings;
        json["names"] = Object(result.Rows.Select(row => KeyValuePair.Create(row.Key, (JsonNode?)row.Label)));
        json["intervals"] = Object(result.Rows.Where(row => row.Value.Low is not null).Select(row => KeyValuePair.Create(row.Key, (JsonNode?)new JsonArray(Finite(row.Value.Low!.Value), Finite(row.Value.High!.Value)))));
        json["floor"] = Object(result.Rows.Where(row => row.Floor is not null).Select(row => KeyValuePair.Create(row.Key, (JsonNode?)Finite(row.Floor!.Value))));
        json["floor_count"] = result.FloorCount;
        json["warnings"] = new JsonArray([.. result.Warnings.Select(text => (JsonNode)text)]);
        json["not_measured"] = Object(result.NotMeasured.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        json["skipped"] = new JsonArray([.. result.Skipped.Select(text => (JsonNode)text)]);
        return json;
    }

    private static JsonObject Object(IEnumerable<KeyValuePair<string, JsonNode?>> pairs) => new(pairs);

    private static JsonValue? Finite(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    private static string Page(EvaluationResult result, IReadOnlyList<(string File, string Caption)> sheets)
    {
        var page = new HtmlReport($"{Short(result.Samples)} against {Short(result.Reference)}");
        page.Paragraph($"{result.Count} samples, {result.ReferenceCount} reference pictures, features of {result.Network} ({result.Width} numbers a picture).{(result.Settings is null ? "" : $" Drawn with {result.Settings}.")}");
        foreach (var warning in result.Warnings)
            page.Note(warning);
        page.Heading("Measures").Table(["measure", "value", "95 % interval", "real against real", "better"], result.Rows.Where(row => row.Better.Length > 0).Select(Cells));
        page.Paragraph($"Real against real is the same measure of {result.FloorCount} reference pictures against the other {result.ReferenceCount - result.FloorCount}: no generator can be told to be better than that{(result.FloorCount < result.Count ? $"; it has fewer pictures than the {result.Count} samples, so read it with care" : "")}. "
            + "Intervals: of KID the middle 95 % of its subsets; of the others the jackknife over ten parts of the samples. Numbers of different networks are not comparable.");
        foreach (var (what, why) in result.NotMeasured)
            page.Paragraph($"Not measured: {what}: {why}.");
        foreach (var (file, caption) in sheets)
            page.Heading(caption.Split(": ", 2)[0]).Picture(file, caption.Split(": ", 2)[1]);
        if (result.Skipped.Count > 0)
            page.Heading("Pictures left out").List(result.Skipped);
        page.Heading("How this was made").Preformatted($"bruma evaluate --reference {result.Reference} --samples {result.Samples} --features {result.Network}\nfeatures: SHA-256 {result.NetworkHash}");
        return page.ToString();
    }

    private static string[] Cells(EvaluationRow row) =>
        [row.Label, EvaluationNumbers.Text(row.Value.Value), EvaluationNumbers.Interval(row.Value), row.Floor is { } floor ? EvaluationNumbers.Text(floor) : "", row.Better];

    private static string Short(string path) => Path.GetFileName(path.TrimEnd('/')) is { Length: > 0 } name ? name : path;
}
