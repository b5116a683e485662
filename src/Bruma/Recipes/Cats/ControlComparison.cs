using System.Globalization;
using System.Text.Json;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Metrics;
using Bruma.Recipes.Adaptation;
using Bruma.Reports;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Cats;

/// <summary>Whether a model of photos does what it is told: every control is drawn as a sheet and measured.</summary>
public static class ControlComparison
{
    private const int Starts = 8;
    private static readonly string[] Kinds = ["coat", "background", "lightness"];

    /// <summary>Draws, measures and writes <c>report.html</c>, <c>table.json</c> and the sheets.</summary>
    /// <param name="tell">Told what happens, a line at a time.</param>
    /// <exception cref="BrumaException">The run is not finished or of another kind, the model builds on no other, or the photos have no classes.</exception>
    public static IReadOnlyList<ControlSection> Run(string output, ControlOptions options, Action<string>? tell = null, CancellationToken cancellationToken = default)
    {
        RunFolder.CheckNew(output);
        options.Checked();
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (adaptation, model, _) = AdaptedModel.Open(options.Run, options.Data);
        var source = ImageSource.Open(adaptation.Data);
        if (source.ClassNames.Count < 2)
            throw new BrumaException($"{adaptation.Data}: its photos are not in classes; what a word does is measured by telling classes apart.");
        using var network = FeatureNetworks.Open(options.Features);
        var extraction = new FeatureExtraction(network, options.Cache is { } cache ? new FeatureCache(cache) : null);
        using var photos = ReportPhotos.Load((source, adaptation), extraction, ControlMeasures.Side, _ => { }, cancellationToken);
        var outlines = options.Outline is null ? null : Outlines(output, options, tell, cancellationToken); // a wrong folder is said before anything is drawn
        var samples = new RunSamples(adaptation, model);
        var starts = DrawStarts(samples, Path.Combine(output, "samples", "start"), options, cancellationToken);

        using var pipeline = samples.Open(adapted: true);
        var measures = new ControlMeasures(options, (pipeline, samples.Request(pipeline)), photos, (extraction, BreedJudge.Of(photos)!), (output, cancellationToken));
        var plain = new Lazy<List<PhotoWords>>(() => ControlMeasures.Words(measures.Plain()));
        var sections = new List<ControlSection>();
        List<Func<ControlSection?>> controls =
        [
            () => ControlSections.Guidance(measures), () => ControlSections.Languages(measures), .. Kinds.Select(kind => (Func<ControlSection?>)(() => ControlSections.Words(measures, kind, plain))),
            () => ControlSections.Framing(measures), () => ControlSections.Start(measures, starts), () => ControlSections.Inpainting(measures), () => outlines,
        ];
        foreach (var measure in controls)
        {
            if (measure() is not { } section)
                continue;
            sections.Add(section);
            tell?.Invoke(section.Verdict);
            Write(output, adaptation, options, (sections, network.Name)); // what is done is seen even if the rest is broken off
        }
        return sections;
    }

    /// <summary>A cell as people read it: numbers only where something was measured.</summary>
    public static IReadOnlyList<string> Cells(ControlRow row) => [row.Setting, .. row.Values.Select(value => value is { } number ? EvaluationNumbers.Text(number) : "")];

    private static ImageFolder DrawStarts(RunSamples samples, string folder, ControlOptions options, CancellationToken cancellation) =>
        (ImageFolder)samples.Draw(folder, adapted: false, [.. Enumerable.Repeat(new SampleWish(options.Start, null), Math.Min(Starts, options.Samples))], options.Seed, _ => { }, cancellation);

    private static ControlSection? Outlines(string output, ControlOptions options, Action<string>? tell, CancellationToken cancellation)
    {
        tell?.Invoke($"outlines of {options.Outline}");
        var place = Path.Combine(output, "outline"); // the run keeps its own report
        var findings = AdaptationReport.Write(new AdaptationReportOptions(options.Outline!, options.Samples, options.Seed, options.Features, options.Cache, Output: place), null, cancellation);
        if (findings.Outlines is not { } found)
            throw new BrumaException($"--outline {options.Outline}: is no run of bruma train controlnet on outlines; give one, or leave it out.");
        File.Copy(Path.Combine(place, "report", AdaptationReport.SteeredSheet), Path.Combine(output, "outlines.png"));
        return new("outlines", "Outlines", "A ControlNet sees the outline of a photo. F1 of edge pixels within 1 px; what the second column has is agreement by chance.", ["", "F1 with the asked outline", "F1 with others"],
            [new("samples", [found.Samples.Asked, found.Samples.Others]), new("the base, which sees none", [found.Base.Asked, found.Base.Others])],
            FormattableString.Invariant($"Samples follow the asked outline with F1 {found.Samples.Asked:0.00}, others with {found.Samples.Others:0.00}."));
    }

    private static void Write(string output, AdaptationOptions run, ControlOptions options, (IReadOnlyList<ControlSection> Sections, string Network) found)
    {
        AtomicFile.WriteText(Path.Combine(output, "table.json"), JsonSerializer.Serialize(new
        {
            run = options.Run,
            samples = options.Samples,
            seed = options.Seed,
            features = found.Network,
            sections = found.Sections.ToDictionary(section => section.Key, section => new { headers = section.Headers, rows = section.Rows.Select(row => new { setting = row.Setting, values = row.Values.Select(value => value is { } number && double.IsFinite(number) ? number : (double?)null) }), verdict = section.Verdict }),
        }, ReadableJson.Options) + "\n");
        var page = new HtmlReport($"{Path.GetFileName(options.Run.TrimEnd('/'))}: does it do what it is told?").List(found.Sections.Select(section => section.Verdict));
        page.Paragraph(FormattableString.Invariant($"A model adapted from {Path.GetFileName(run.Model.TrimEnd('/'))} to {Path.GetFileName(run.Data.TrimEnd('/'))}. Pictures are uncurated, seeds from {options.Seed.ToString(CultureInfo.InvariantCulture)} on, seen by {found.Network} at 64 px."));
        foreach (var section in found.Sections)
        {
            page.Heading(section.Title).Paragraph(section.Explanation).Table(section.Headers, section.Rows.Select(Cells));
            foreach (var (file, caption) in new[] { ($"{section.Key}-curve.png", "What it buys and costs."), ($"{section.Key}.png", "A row is a setting.") })
                if (File.Exists(Path.Combine(output, file)))
                    page.Picture(file, caption, smooth: true);
        }
        AtomicFile.WriteText(Path.Combine(output, "report.html"), page.ToString());
    }
}
