using System.Text.Json;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Reports;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>What to compare.</summary>
/// <param name="Objectives">Names of <see cref="GanRecipe"/>; <c>diffusion</c> is the class-conditional diffusion model.</param>
/// <param name="Minutes">Of training for each.</param>
public sealed record GanComparisonOptions(string Data, IReadOnlyList<string> Objectives, double Minutes, int Resolution = 0, int BatchSize = 0, long Seed = 0, int Samples = 2000, string? Architecture = null, int Threads = 0)
{
    /// <summary>The row that is no GAN.</summary>
    public const string Diffusion = "diffusion";

    public GanComparisonOptions Checked()
    {
        if (Objectives.Count == 0)
            throw new BrumaException("--objectives: must name at least one.");
        foreach (var name in Objectives.Where(name => name != Diffusion))
            _ = GanRecipe.Find(name);
        if (Objectives.Distinct().Count() < Objectives.Count)
            throw new BrumaException($"--objectives {string.Join(",", Objectives)}: names one twice.");
        if (!(Minutes > 0 && Minutes <= 24 * 60))
            throw new BrumaException(FormattableString.Invariant($"--minutes {Minutes}: must be greater than 0 and at most a day."));
        if (Samples < 100)
            throw new BrumaException($"--samples {Samples}: must be at least 100.");
        return this;
    }
}

/// <summary>A trained model of the comparison.</summary>
/// <param name="ImagesSeen">Images that the generator, or the diffusion model, was updated on.</param>
/// <param name="Seconds">Of training.</param>
public sealed record ComparisonRow(string Name, string Run, long Steps, long ImagesSeen, double Seconds, SampleMeasures Measures)
{
    public double ImagesPerSecond => ImagesSeen / Math.Max(1e-9, Seconds);
}

/// <summary>The same data, seed and time for several ways to train a generator: one table, one sheet.</summary>
public static class GanComparison
{
    private const int Columns = 10;

    /// <summary>Trains, measures and writes <c>table.json</c>, <c>sheet.png</c> and <c>report.html</c>, with a run folder for each below <c>runs/</c>.</summary>
    /// <param name="tell">Told what happens, a line at a time.</param>
    public static IReadOnlyList<ComparisonRow> Run(string output, GanComparisonOptions options, Action<string>? tell = null, CancellationToken cancellationToken = default)
    {
        RunFolder.CheckNew(output);
        var source = ImageSource.Open(options.Data);
        var rows = new List<ComparisonRow>();
        var strips = new List<Tensor>(); // uint8 [C, H, W] each, a row of pictures per model
        using var scope = NewDisposeScope();
        using var images = TrainingImages.Load(source, options.Resolution > 0 ? options.Resolution : GanTraining.ResolutionOf(source));
        using var judge = new SampleJudge(options.Data, images, options.Samples);
        strips.Add(Strip(images.Pixels.index_select(0, RealColumns(images)), "real pictures"));
        foreach (var name in options.Objectives)
        {
            var (row, pictures) = One(output, name, options, judge, (tell, cancellationToken));
            rows.Add(row);
            strips.Add(Strip(pictures, name));
            tell?.Invoke(FormattableString.Invariant($"{name}: {row.ImagesSeen} images in {row.Seconds:0} s, FD-{row.Measures.Network} {row.Measures.Frechet:0.00}"));
            Write(output, options, rows, strips); // what is done is seen even if the rest is broken off
        }
        return rows;
    }

    private static (ComparisonRow Row, Tensor Pictures) One(string output, string name, GanComparisonOptions options, SampleJudge judge, (Action<string>? Say, CancellationToken Cancellation) talk)
    {
        var folder = Path.Combine(output, "runs", name);
        var (training, took) = TimedTraining.Run(folder, options.Minutes, (place, steps) => Begin(place, name, options, steps), talk.Say, talk.Cancellation);
        using var _ = training;
        var pictures = ComparisonSamples.Of(folder, name, judge.Count, options.Seed);
        return (new ComparisonRow(name, folder, training.Step, TimedTraining.ImagesSeen(training), took, judge.Measure(pictures, training.Step)), pictures.narrow(0, 0, Columns));
    }

    private static ITrainingRun Begin(string folder, string name, GanComparisonOptions options, int steps) => name == GanComparisonOptions.Diffusion
        ? DiffusionTraining.Start(folder, new DiffusionOptions(options.Data, steps, options.BatchSize, CheckpointEvery: int.MaxValue, SampleEvery: 0, Seed: options.Seed, Precision: ComputePrecision.Default, Threads: options.Threads, Resolution: options.Resolution, ReportSamples: 0).Checked())
        : GanTraining.Start(folder, new GanOptions(options.Data, name, options.Architecture, steps, options.BatchSize, options.Resolution, options.Seed, CheckpointEvery: int.MaxValue, EvaluateSamples: 0, Threads: options.Threads).Checked());

    /// <summary>One real picture per class where there are ten, else the first ones.</summary>
    private static Tensor RealColumns(TrainingImages images) => tensor(Enumerable.Range(0, Columns)
        .Select(column => images.Classes.Count > 0 ? Math.Max(0, images.Classes.ToList().IndexOf(column)) : column % images.Count).Select(index => (long)index).ToArray());

    private static Tensor Strip(Tensor pictures, string name) => PictureLabel.Beside(ContactSheet.Compose([.. pictures.unbind()], Columns), name);

    private static void Write(string output, GanComparisonOptions options, List<ComparisonRow> rows, List<Tensor> strips)
    {
        PngFile.Write(Path.Combine(output, "sheet.png"), cat(strips, 1));
        var first = rows[0].Measures;
        AtomicFile.WriteText(Path.Combine(output, "table.json"), JsonSerializer.Serialize(new
        {
            data = options.Data,
            minutes = options.Minutes,
            seed = options.Seed,
            threads = get_num_threads(),
            features = first.Network,
            samples = first.Count,
            real_against_real = first.Floor,
            rows = rows.Select(row => new
            {
                name = row.Name,
                fd = row.Measures.Frechet,
                kid = row.Measures.Kernel,
                precision = row.Measures.Precision,
                recall = row.Measures.Recall,
                density = row.Measures.Density,
                coverage = row.Measures.Coverage,
                steps = row.Steps,
                images_seen = row.ImagesSeen,
                images_per_second = row.ImagesPerSecond,
                seconds = row.Seconds,
                run = row.Run,
            }),
        }, ReadableJson.Options) + "\n");
        var page = new HtmlReport(FormattableString.Invariant($"{options.Data}: {rows.Count} ways to train a generator, {options.Minutes:0.##} minutes each"))
            .Table(["", .. SampleMeasures.Headers.Skip(1), "images seen", "images/s"], rows.OrderBy(row => row.Measures.Frechet).Select(IReadOnlyList<string> (row) =>
                [row.Name, .. row.Measures.Cells.Skip(1), row.ImagesSeen.ToString(System.Globalization.CultureInfo.InvariantCulture), row.ImagesPerSecond.ToString("0", System.Globalization.CultureInfo.InvariantCulture)]))
            .Paragraph(first.Explanation)
            .Paragraph(FormattableString.Invariant($"Each had the same data, seed {options.Seed} and {options.Minutes:0.##} minutes on {get_num_threads()} threads; a machine that does other work at the same time makes the rows uneven. One run each: GANs vary by about a fifth from seed to seed."))
            .Heading("Samples").Picture("sheet.png", $"From the top: real pictures, {string.Join(", ", rows.Select(row => row.Name))}.");
        foreach (var row in rows.Where(row => File.Exists(Path.Combine(row.Run, "learning.png"))))
            page.Subheading(row.Name).Picture($"runs/{row.Name}/learning.png", "The same noise as training goes on, from the top.");
        AtomicFile.WriteText(Path.Combine(output, "report.html"), page.ToString());
    }
}
