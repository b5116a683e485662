using System.Text.Json;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Recipes.Adaptation;
using Bruma.Reports;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary><c>table.json</c>, <c>sheet.png</c> and <c>report.html</c> of a style's comparison.</summary>
public static class StyleComparisonFiles
{
    private const int Columns = 8;
    private const int Shown = 128; // pixels

    /// <summary>Names of the columns of <see cref="Cells"/>.</summary>
    public static IReadOnlyList<string> Headers { get; } = ["", "in the style", "right concept", "among five", "KID to the style"];

    /// <summary>A row as people read it.</summary>
    public static IReadOnlyList<string> Cells(StyleRow row) => [row.Name, Percent(row.InStyle), Percent(row.Top1), Percent(row.Top5), EvaluationNumbers.Text(row.Kid)];

    /// <summary>What it comes to, in a sentence.</summary>
    public static string Verdict(StyleFindings findings) => FormattableString.Invariant(
        $"Of concepts that it never saw in the style, {100 * findings.Rows[1].InStyle:0} % are drawn in {findings.Style}, where the base has {100 * findings.Rows[0].InStyle:0} %, real pictures through the autoencoder {100 * findings.Rows[2].InStyle:0} % and real ones {100 * findings.Rows[^1].InStyle:0} %; the concept is right in {100 * findings.Rows[1].Top1:0} %, where the base has {100 * findings.Rows[0].Top1:0} % and the real ones {100 * findings.Rows[^1].Top1:0} %.");

    /// <param name="drawn">The prompts, and the pictures of each row.</param>
    internal static void Write(string output, StyleOptions options, StyleFindings findings, (IReadOnlyList<string> Prompts, IReadOnlyList<(string Name, ImageSource Pictures)> Sets) drawn)
    {
        AtomicFile.WriteText(Path.Combine(output, "table.json"), JsonSerializer.Serialize(new
        {
            run = options.Run,
            style = findings.Style,
            samples = drawn.Prompts.Count,
            seed = options.Seed,
            features = findings.Network,
            judge_accuracy = findings.JudgeAccuracy,
            judge_false_alarms = findings.FalseAlarms,
            rows = findings.Rows.Select(row => new { name = row.Name, in_style = row.InStyle, concept_top1 = row.Top1, concept_top5 = row.Top5, kid = row.Kid }),
        }, ReadableJson.Options) + "\n");
        WriteSheet(Path.Combine(output, "sheet.png"), findings.Style, drawn);
        var page = new HtmlReport($"{Path.GetFileName(Path.TrimEndingDirectorySeparator(options.Run))}: was the style learned?").Paragraph(Verdict(findings)).Table(Headers, findings.Rows.Select(Cells))
            .Paragraph(FormattableString.Invariant($"{drawn.Prompts.Count} concepts that the run never saw, seeds from {options.Seed} on, the same noise for both models. The style is judged by a linear model on features of {findings.Network}, fitted to further concepts in all styles; on real pictures of the concepts asked for it names the right style of {100 * findings.JudgeAccuracy:0} %, and takes {100 * findings.FalseAlarms:0.0} % of those in other styles for {findings.Style}. The concept is named, of all, by a scorer that never saw {findings.Style}. KID is to real pictures of further concepts."))
            .Heading("Samples").Picture("sheet.png", "Uncurated: the first ones.").List(drawn.Prompts.Take(Columns));
        AtomicFile.WriteText(Path.Combine(output, "report.html"), page.ToString());
    }

    private static void WriteSheet(string path, string style, (IReadOnlyList<string> Prompts, IReadOnlyList<(string Name, ImageSource Pictures)> Sets) drawn)
    {
        using var scope = NewDisposeScope();
        var columns = Math.Min(Columns, drawn.Prompts.Count);
        var cells = drawn.Sets.SelectMany(set => Enumerable.Range(0, columns).Select(i => new LabelledPicture(new SquaredSource(set.Pictures, Shown).Load(i), ""))).ToList();
        PngFile.Write(path, LabelledSheet.Compose($"{style}, of concepts never seen in it", cells, columns, [.. drawn.Sets.Select(set => set.Name)], [.. drawn.Prompts.Take(columns).Select(prompt => prompt.Split(',')[0])]));
    }

    private static string Percent(double share) => FormattableString.Invariant($"{100 * share:0} %");
}
