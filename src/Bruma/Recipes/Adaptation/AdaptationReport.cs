using Bruma.Data;
using Bruma.Imaging;
using Bruma.Metrics;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>What a report found.</summary>
/// <param name="Notes">What could not be measured, and why.</param>
/// <param name="Settings">What was drawn with.</param>
/// <param name="Outlines">Mean F1 with the asked outlines and with those of other pictures, of the run and of its base; null without a control network of outlines.</param>
public sealed record AdaptationFindings(IReadOnlyList<MeasuredSet> Sets, int DrawSize, IReadOnlyList<string> Verdict, IReadOnlyList<string> Notes, OutlineFindings? Outlines, string Settings);

/// <summary>How well samples follow outlines.</summary>
public sealed record OutlineFindings((double Asked, double Others) Samples, (double Asked, double Others) Base);

/// <summary>Says how good an adapted model is: samples as they come, figures beside those of real photos, of the base and of the autoencoder, the nearest photos, and a verdict in words.</summary>
public sealed class AdaptationReport
{
    /// <summary>Pictures are compared at this size, whatever they were drawn at.</summary>
    private const int Side = 64;

    /// <summary>What steers, what was drawn after it, and what the base draws without; in the report's folder.</summary>
    public const string SteeredSheet = "steered.png";

    private const int SteeredShown = 8;

    private readonly AdaptationReportOptions _report;
    private readonly AdaptedModel _model;
    private readonly Action<EvaluationProgress> _progress;
    private readonly CancellationToken _cancellation;
    private readonly List<string> _notes = [];

    private AdaptationReport(AdaptationReportOptions report, AdaptedModel model, Action<EvaluationProgress> progress, CancellationToken cancellation) =>
        (_report, _model, _progress, _cancellation) = (report, model, progress, cancellation);

    private AdaptationOptions Options => _model.Options;

    private string Folder => Path.Combine(_report.Folder, "report");

    /// <summary>Draws, measures and writes <c>report.html</c> into the run's folder, or into another; pictures and <c>metrics.json</c> go to <c>report/</c> in it.</summary>
    /// <exception cref="BrumaException">The run is not finished, or of another recipe, or the model has nothing to be compared with.</exception>
    public static AdaptationFindings Write(AdaptationReportOptions report, Action<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var model = AdaptedModel.Open(report.Run, report.Data);
        if (model.Run is null && report.Output is null)
            throw new BrumaException($"{report.Run}: a model, in whose folder no report is written; say with --output where it goes.");
        return new AdaptationReport(report.Checked(), model, progress ?? (_ => { }), cancellationToken).Write();
    }

    private AdaptationFindings Write()
    {
        using var network = FeatureNetworks.Open(_report.Features);
        var extraction = new FeatureExtraction(network, _report.Cache is { } cache ? new FeatureCache(cache) : null);
        var source = ImageSource.Open(Options.Data);
        using var photos = ReportPhotos.Load((source, Options), extraction, Side, Told("features of the photos", source.Examples.Count), _cancellation);
        if (photos.Reference.Count < 2)
            throw new BrumaException($"{Options.Data}: {photos.Reference.Count} usable photo is too few to compare with; look at the samples of the run instead.");
        var (wishes, before) = Wishes(photos);
        var drawing = new RunSamples(Options, _model.Folder);
        var samples = drawing.Draw(Path.Combine(Folder, "samples"), true, wishes, _report.Seed, Told("samples drawn", wishes.Count), _cancellation);
        var untrained = drawing.Draw(Path.Combine(Folder, "base"), false, before, _report.Seed, Told("samples of the base drawn", before.Count), _cancellation);
        var copies = photos.Test.Count == 0 ? null : drawing.Reconstruct(Path.Combine(Folder, "reconstructions"), photos.Test.Select(row => photos.Square(row, Options.Resolution)));

        using var drawn = Features(extraction, samples);
        var sets = Measure(photos, drawn, Features(extraction, untrained), copies is null ? null : Features(extraction, copies), out var size);
        if (Options.IsSteered)
            ShowSteered(wishes, samples, untrained);
        var outlines = Outlines(wishes, samples, untrained);
        var findings = new AdaptationFindings(sets, size, [.. AdaptationVerdict.Of(sets, Options.IsSteered, outlines)], _notes, outlines, drawing.Settings);
        Told("page", 1)(0);
        AdaptationPage.Write((_report.Folder, _model.Run), (Options, _report), findings, new EvaluationPictures(photos.Squares, photos.ReferenceSet(), new SquaredSource(samples, Side), drawn), network);
        return findings;
    }

    private FeatureSet Features(FeatureExtraction extraction, ImageSource pictures) =>
        extraction.RunAll(new SquaredSource(pictures, Side), Told("features of pictures", pictures.Examples.Count), _cancellation);

    /// <summary>Captions of the photos in a fixed order; with a control network also outlines, of photos that were never trained on where there are any.</summary>
    private (List<SampleWish> Run, List<SampleWish> Base) Wishes(ReportPhotos photos)
    {
        var (captions, control) = (new Captions(Options), ControlPictures.For(Options, photos.Source));
        var rows = control is not null && photos.Test.Count > 0 ? photos.Test : photos.Reference;
        if (control is not null && photos.Test.Count == 0)
            _notes.Add("The outlines are those of photos that were trained on, since no test photos are kept.");
        var wishes = Enumerable.Range(0, _report.Count).Select(i =>
        {
            var row = rows[ShuffledOrder.At(0, i, rows.Count)];
            var caption = captions.Asked(captions.Of(photos.Source, photos.Example(row)) ?? captions.Missing);
            var picture = control?.Of(photos.Example(row), photos.Source.Load(photos.Features.Indices[row]), photos.Square(row, Options.Resolution));
            return new SampleWish(caption, picture);
        }).ToList();
        return (wishes, [.. wishes.Select(wish => new SampleWish(Options.PlaceholderToken is { } word ? wish.Prompt.Replace(word, Options.InitializerToken, StringComparison.Ordinal) : wish.Prompt, null))]);
    }

    private List<MeasuredSet> Measure(ReportPhotos photos, FeatureSet drawn, FeatureSet untrained, FeatureSet? copies, out int size)
    {
        Told("measures", 5)(0);
        var reference = photos.Rows(photos.Reference);
        size = new[] { EqualDraws.Largest, drawn.Count, photos.Reference.Count, photos.Test.Count > 1 ? photos.Test.Count : int.MaxValue }.Min();
        Explain(photos, size);
        using var draws = new EqualDraws(reference, size);
        var sets = new List<MeasuredSet> { draws.Of(MeasuredSet.Samples, "samples of this run", drawn.Features) };
        if (photos.Test.Count > 1)
            sets.Add(draws.Of(MeasuredSet.Test, "photos never trained on (real against real)", photos.Rows(photos.Test)));
        sets.Add(draws.Of(MeasuredSet.Reference, "photos of the reference repeated (a copy machine)", reference));
        sets.Add(draws.Of(MeasuredSet.Base, Options.IsSteered ? "the base without pictures that steer" : "the base without fine-tuning", untrained.Features));
        if (copies is { Count: > 1 })
            sets.Add(draws.Of(MeasuredSet.Reconstructions, "the autoencoder's copies of the test photos (ceiling)", copies.Features));
        untrained.Dispose();
        copies?.Dispose();
        return sets;
    }

    private void Explain(ReportPhotos photos, int size)
    {
        if (photos.Test.Count < 2)
            _notes.Add($"No photos were kept for a test ({photos.Features.Count} photos; from 20 on a fifth is, unless --validation-share is 0): there is no number of real photos to compare with, and all figures are against photos that were trained on.");
        if (size < EqualDraws.Largest)
            _notes.Add($"Figures are of {size} pictures a set, since there are no more in the smallest one: with so few, precision, recall, coverage and FD say little by themselves; read them against the other rows, and do not compare them with those of {EqualDraws.Largest} pictures{(_report.Count < EqualDraws.Largest ? $" (more samples: --count {2 * EqualDraws.Largest})" : "")}.");
    }

    private OutlineFindings? Outlines(List<SampleWish> wishes, ImageSource samples, ImageSource untrained)
    {
        if (wishes[0].Picture is not { } first)
            return null;
        if (first.shape[0] != 1)
        {
            _notes.Add("How well samples follow what steers them is measured for outlines only; this run has pictures of its own.");
            return null;
        }
        using var scope = NewDisposeScope();
        var asked = wishes.Select(wish => wish.Picture!).ToList();
        (double, double) Of(ImageSource pictures) => EdgeAgreement.MeanF1(asked, [.. Enumerable.Range(0, asked.Count).Select(i => EdgeFilter.Outline(pictures.Load(i)))]);
        return new OutlineFindings(Of(samples), Of(untrained));
    }

    private void ShowSteered(List<SampleWish> wishes, ImageSource samples, ImageSource untrained)
    {
        using var scope = NewDisposeScope();
        var count = Math.Min(SteeredShown, wishes.Count);
        var rows = new Func<int, Tensor>[] { i => wishes[i].Picture!, samples.Load, untrained.Load };
        var cells = rows.SelectMany(row => Enumerable.Range(0, count).Select(i => new LabelledPicture(row(i), ""))).ToList();
        PngFile.Write(Path.Combine(Folder, SteeredSheet), LabelledSheet.Compose("Steered by pictures, the same noise", cells, count, ["asked", "drawn", "the base"]));
    }

    private Action<int> Told(string stage, int of) => done => _progress(new EvaluationProgress(stage, done, of));
}
