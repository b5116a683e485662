using Bruma.Data;
using Bruma.Metrics;
using Bruma.Nn;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Measures generated pictures against real ones: features, every measure with interval and floor, and a report to look at.</summary>
public sealed class Evaluation
{
    private readonly EvaluationOptions _options;
    private readonly Action<EvaluationProgress> _progress;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<string, string> _notMeasured = new(StringComparer.Ordinal);

    private Evaluation(EvaluationOptions options, Action<EvaluationProgress> progress, CancellationToken cancellation) =>
        (_options, _progress, _cancellation) = (options, progress, cancellation);

    /// <summary>Runs it and writes <c>metrics.json</c>, <c>report.html</c> and its sheets into the output folder.</summary>
    /// <exception cref="BrumaException">Pictures, model or network are not usable.</exception>
    public static EvaluationResult Run(EvaluationOptions options, Action<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        return new Evaluation(options.Checked(), progress ?? (_ => { }), cancellationToken).Run();
    }

    private EvaluationResult Run()
    {
        using var network = FeatureNetworks.Open(_options.Features);
        var reference = Sized(ImageSource.Open(_options.Reference));
        var prompts = _options.Prompts is { } file ? Texts(file) : null;
        var (samples, settings) = Samples(prompts);
        var extraction = new FeatureExtraction(network, _options.Cache is { } cache ? new FeatureCache(cache) : null);

        using var real = extraction.RunAll(reference, Told("features of the reference", reference.Examples.Count), _cancellation);
        var taken = Taken(samples);
        using var fake = extraction.Run(samples, taken, Told("features of the samples", taken.Count), _cancellation);

        Told("measures", 2)(0);
        var comparison = Comparison(network, fake);
        using var measured = new SetComparison(real.Features, comparison);
        var values = measured.Measure(fake.Features, fake.Logits).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        Told("measures", 2)(1);
        var (floor, floorCount) = Floor(real, fake.Count, comparison);
        Told("measures", 2)(2);
        PairedMeasures.Add(values, _notMeasured, _options, (reference, samples));
        TextMeasures.Add(values, _notMeasured, _options, samples, prompts);

        var chosen = _options.Chosen;
        var rows = values.Select(pair => EvaluationRows.Of(pair.Key, pair.Value, floor.GetValueOrDefault(pair.Key), network)).OfType<EvaluationRow>().ToList();
        var result = new EvaluationResult(rows, network.Name, network.Hash, (int)real.Features.shape[1], fake.Count, real.Count, floorCount, _options.Reference, _options.Samples, settings,
            SampleSize.Warnings(fake.Count, real.Count, (int)real.Features.shape[1], network, chosen.ToHashSet(), _options.NeighbourSamples), _notMeasured, [.. real.Skipped, .. fake.Skipped]);
        EvaluationReport.Write(_options.Output, result, new EvaluationPictures(reference, real, samples, fake));
        return result;
    }

    private ImageSource Sized(ImageSource source) => _options.ResizeAndCrop > 0 ? new ResizedSource(source, _options.ResizeAndCrop) : source;

    /// <summary>Pictures as they are, or drawn from a model into <c>samples/</c> of the output.</summary>
    private (ImageSource Source, string? Settings) Samples(List<string>? prompts)
    {
        if (SampleModels.Find(_options.Samples) is not { } model)
        {
            if (RunFolder.IsRun(_options.Samples))
                throw RunFolder.HasNoModel(_options.Samples);
            if (_options.Drawing is { IsEmpty: false })
                throw new BrumaException($"{_options.Samples}: pictures, of which none are drawn; --steps, --guidance-scale and --scheduler are for models.");
            return (Sized(ImageSource.Open(_options.Samples)), null);
        }
        var count = _options.Count > 0 ? _options.Count : prompts?.Count ?? EvaluationOptions.DrawnByDefault;
        var texts = prompts is null ? null : Enumerable.Range(0, count).Select(i => prompts[i % prompts.Count]).ToList();
        var (drawn, settings) = DrawnSamples.Draw(Path.Combine(_options.Output, "samples"), (model, _options.Drawing), count, _options.Seed, texts, Told("samples drawn", count), _cancellation);
        return (Sized(drawn), settings);
    }

    /// <summary>All, or as many as asked for, drawn by the seed.</summary>
    private List<int> Taken(ImageSource samples)
    {
        var all = Enumerable.Range(0, samples.Examples.Count);
        if (_options.Count == 0 || _options.Count >= samples.Examples.Count)
            return [.. all];
        return [.. Enumerable.Range(0, _options.Count).Select(i => ShuffledOrder.At(_options.Seed, i, samples.Examples.Count))];
    }

    private ComparisonOptions Comparison(FeatureNetwork network, FeatureSet fake)
    {
        var names = _options.Chosen.ToList();
        var isChosen = _options.Metrics is { Count: > 0 };
        if (names.Contains("cmmd") && !network.Name.StartsWith("clip", StringComparison.Ordinal))
        {
            names.Remove("cmmd");
            if (isChosen)
                _notMeasured["cmmd"] = $"it is defined in CLIP's features, not in {network.Name}'s: give a CLIP folder as --features";
        }
        if (names.Contains("is") && fake.Logits is null)
        {
            names.Remove("is");
            if (isChosen)
                _notMeasured[SetComparison.ScoreMean] = $"{network.Name} has no classes";
        }
        if (!_options.WantsPairs)
            _notMeasured["lpips"] = "it compares pairs of pictures: ask for it with --metrics lpips and give a backbone's weights";
        return new ComparisonOptions(names, _options.KidSubsets, _options.KidSubsetSize, _options.InceptionSplits, _options.Neighbours, _options.NeighbourSamples, Seed: _options.Seed);
    }

    /// <summary>Real against real: as many reference pictures as there are samples, at most half of them, measured against the others.</summary>
    private (IReadOnlyDictionary<string, double?> Values, int Count) Floor(FeatureSet real, int samples, ComparisonOptions comparison)
    {
        var count = Math.Min(samples, real.Count / 2);
        if (count < 1)
            return (new Dictionary<string, double?>(), 0);
        using var scope = NewDisposeScope();
        using var random = HashedSeed.At(_options.Seed, 7);
        var order = randperm(real.Count, generator: random);
        var (part, rest) = (order[..count], order[count..]);
        using var measured = new SetComparison(real.Features.index_select(0, rest), comparison with { Parts = 0 });
        var values = measured.Measure(real.Features.index_select(0, part), real.Logits?.index_select(0, part));
        return (values.ToDictionary(pair => pair.Key, pair => (double?)pair.Value.Value, StringComparer.Ordinal), count);
    }

    private Action<int> Told(string stage, int of) => done => _progress(new EvaluationProgress(stage, done, of));

    private static List<string> Texts(string file)
    {
        if (!File.Exists(file))
            throw new BrumaException($"--prompts {file}: no such file; give a text file with one prompt a line.");
        var lines = File.ReadLines(file).Where(line => line.Trim().Length > 0).ToList();
        return lines.Count > 0 ? lines : throw new BrumaException($"--prompts {file}: is empty; write one prompt a line.");
    }
}
