using Bruma.Hub;
using Bruma.Reports;
using Bruma.Training;

namespace Bruma.Recipes;

/// <summary>What a run shows: how it learned, its curves, its measurements and what they mean.</summary>
public static class GanReport
{
    /// <param name="failure">Why the run broke off; null for a finished one.</param>
    /// <returns>What to tell.</returns>
    public static IEnumerable<string> Write(RunFolder folder, GanOptions options, IReadOnlyList<SampleMeasures> measures, string? failure)
    {
        var rows = folder.ReadStats(GanCurves.Columns);
        if (rows.Count > 1)
            GanCurves.Write(Path.Combine(folder.Root, "curves.png"), rows, measures);
        var moments = new GanGallery(folder.Root, options.Seed).Join();
        var findings = GanDiagnosis.Of(options, rows, measures, failure);

        var page = new HtmlReport($"{Path.GetFileName(options.Data)}, {options.Objective}, {options.Resolution} px, {(rows.Count > 0 ? rows[^1][0] : 0)} steps").Heading("What the numbers say").List(findings);
        if (moments.Count > 0)
            page.Heading("How it learned")
                .Picture("learning.png", $"The same noise after {string.Join(", ", moments)} steps, from the top; averaged weights.")
                .Picture("learning.webp", "All sheets in a row.")
                .Picture($"samples/step-{moments[^1]:D7}.png", "The last sheet.");
        if (rows.Count > 1)
            page.Heading("Curves").Picture("curves.png", "Losses, gradient norms, logits of real and generated pictures, distance to real pictures; running means.", smooth: true);
        if (measures.Count > 0)
            page.Heading("Measurements").Table(SampleMeasures.Headers, measures.Select(row => row.Cells)).Paragraph(measures[^1].Explanation);
        AtomicFile.WriteText(Path.Combine(folder.Root, "report.html"), page.Heading("Settings").Preformatted(options.ToJson()).ToString());
        return [.. findings, $"report: {Path.Combine(folder.Root, "report.html")}"];
    }
}
