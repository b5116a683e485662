using System.Globalization;
using System.Text.Json;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Recipes.Adaptation;
using Bruma.Reports;
using static TorchSharp.torch;

namespace Bruma.Recipes.Cats;

/// <summary><c>table.json</c>, <c>sheet.png</c> and <c>report.html</c> of a comparison.</summary>
public static class CatComparisonFiles
{
    private const int ShownOfEach = 8;
    private const int Shown = 128; // pixels
    private static readonly (string Key, string Name)[] Measures = [(SetComparison.Frechet, "FD"), (SetComparison.KidMean, "KID"), ("precision", "precision"), ("recall", "recall"), ("coverage", "coverage"), ("copies", "copies")];

    /// <summary>Names of the columns of <see cref="Cells"/>.</summary>
    public static IReadOnlyList<string> Headers { get; } = ["", .. Measures.Select(measure => measure.Name), "breed as asked", "pictures seen", "minutes"];

    /// <summary>A row as people read it.</summary>
    public static IReadOnlyList<string> Cells(CatRow row) =>
    [
        row.Name, .. Measures.Select(measure => row.Set[measure.Key] is { } value ? measure.Key == "copies" ? Percent(value) : EvaluationNumbers.Text(value) : ""),
        row.Breed is { } share ? Percent(share) : "", row.ImagesSeen > 0 ? row.ImagesSeen.ToString(CultureInfo.InvariantCulture) : "", row.Seconds > 0 ? (row.Seconds / 60).ToString("0.0", CultureInfo.InvariantCulture) : "",
    ];

    internal static void Write(string output, CatComparisonOptions options, CatFindings findings, IReadOnlyList<(string Name, ImageSource Pictures)> columns)
    {
        AtomicFile.WriteText(Path.Combine(output, "table.json"), Json(options, findings) + "\n");
        WriteSheet(Path.Combine(output, "sheet.png"), options, columns);
        var page = new HtmlReport(FormattableString.Invariant($"{Path.GetFileName(options.Data.TrimEnd('/'))}: {findings.Rows.Count(row => row.Seconds > 0)} ways to a model, {options.Minutes:0.##} minutes each"))
            .Table(Headers, findings.Rows.Select(Cells))
            .Paragraph(FormattableString.Invariant($"Each method had the same training photos, seed {options.Seed} and {options.Minutes:0.##} minutes on {get_num_threads()} threads; one run each. Against the photos outside the test part, in the features of {findings.Network}, at 64 px. FD, precision, recall and coverage (k = 5) are of {findings.DrawSize} pictures (means over draws where a set has more); KID and copies of all. \"Breed as asked\" is by a linear judge on the same features, which took no part in training; for the test photos it is the judge's own accuracy."))
            .Heading("Samples").Picture("sheet.png", "Uncurated: the first ones, classes in turn. A column is a method.");
        AtomicFile.WriteText(Path.Combine(output, "report.html"), page.ToString());
    }

    private static void WriteSheet(string path, CatComparisonOptions options, IReadOnlyList<(string Name, ImageSource Pictures)> columns)
    {
        using var scope = NewDisposeScope();
        var sources = columns.Select(column => new SquaredSource(column.Pictures, Shown)).ToList();
        var rows = Math.Min(ShownOfEach, sources.Min(source => source.Examples.Count));
        var cells = Enumerable.Range(0, rows).SelectMany(row => sources.Select(source => new LabelledPicture(source.Load(row), ""))).ToList();
        PngFile.Write(path, LabelledSheet.Compose(FormattableString.Invariant($"{options.Minutes:0.##} minutes each"), cells, columns.Count, columnNames: [.. columns.Select(column => column.Name)]));
    }

    private static string Json(CatComparisonOptions options, CatFindings findings) => JsonSerializer.Serialize(new
    {
        data = options.Data,
        model = options.Model,
        minutes = options.Minutes,
        seed = options.Seed,
        threads = get_num_threads(),
        features = findings.Network,
        samples = options.Samples,
        draw_size = findings.DrawSize,
        rows = findings.Rows.Select(row => new
        {
            name = row.Name,
            values = row.Set.Values.ToDictionary(value => value.Key, value => double.IsFinite(value.Value.Value) ? value.Value.Value : (double?)null),
            breed_as_asked = row.Breed,
            images_seen = row.ImagesSeen,
            seconds = row.Seconds,
        }),
    }, ReadableJson.Options);

    private static string Percent(double share) => (100 * share).ToString("0.#", CultureInfo.InvariantCulture) + " %";
}
