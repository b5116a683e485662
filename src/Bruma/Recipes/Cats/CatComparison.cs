using Bruma.Data;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Recipes.Adaptation;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Cats;

/// <summary>A row of the comparison.</summary>
/// <param name="Set">Its pictures, measured.</param>
/// <param name="Breed">Share that the judge takes for the class asked for; null where none was.</param>
/// <param name="ImagesSeen">In training; 0 for what was not trained.</param>
/// <param name="Seconds">Of training.</param>
public sealed record CatRow(string Name, MeasuredSet Set, double? Breed, long ImagesSeen = 0, double Seconds = 0);

/// <summary>What was found.</summary>
/// <param name="Rows">Test photos and the base first, then the methods.</param>
/// <param name="DrawSize">Pictures of a draw.</param>
/// <param name="Network">Name of the feature network.</param>
public sealed record CatFindings(IReadOnlyList<CatRow> Rows, int DrawSize, string Network);

/// <summary>The same photos and time for several ways to a model that draws them: what a pretrained base is worth, seen and measured.</summary>
public sealed class CatComparison
{
    private const int Side = 64; // what is compared, and what models from scratch draw
    private const int Checkpoints = 6; // to choose the best of
    private const int LeastPhotos = 20;

    private readonly string _output;
    private readonly CatComparisonOptions _options;
    private readonly Action<string> _tell;
    private readonly CancellationToken _cancellation;

    private CatComparison(string output, CatComparisonOptions options, Action<string> tell, CancellationToken cancellation) => (_output, _options, _tell, _cancellation) = (output, options, tell, cancellation);

    /// <summary>Trains, measures and writes <c>table.json</c>, <c>sheet.png</c> and <c>report.html</c>, with a run folder for each below <c>runs/</c>.</summary>
    /// <param name="tell">Told what happens, a line at a time.</param>
    /// <exception cref="BrumaException">Folder, photos or base are not usable.</exception>
    public static CatFindings Run(string output, CatComparisonOptions options, Action<string>? tell = null, CancellationToken cancellationToken = default)
    {
        RunFolder.CheckNew(output);
        using var scope = NewDisposeScope();
        return new CatComparison(output, options.Checked(), tell ?? (_ => { }), cancellationToken).Compare();
    }

    private CatFindings Compare()
    {
        using var network = FeatureNetworks.Open(_options.Features);
        var extraction = new FeatureExtraction(network, _options.Cache is { } cache ? new FeatureCache(cache) : null);
        var source = ImageSource.Open(_options.Data);
        if (source.Examples.Count < LeastPhotos)
            throw new BrumaException($"{_options.Data}: {source.Examples.Count} photos are too few to keep some for a test; give at least {LeastPhotos}.");
        var plain = Adaptation(CatComparisonOptions.Lora, 1);
        using var photos = ReportPhotos.Load((source, plain), extraction, Side, _ => { }, _cancellation);
        if (photos.Test.Count < 2)
            throw new BrumaException($"{_options.Data}: {photos.Test.Count} photo falls into the test part; give more photos.");
        var judge = BreedJudge.Of(photos);
        var size = new[] { EqualDraws.Largest, _options.Samples, photos.Reference.Count, photos.Test.Count }.Min();
        using var draws = new EqualDraws(photos.Rows(photos.Reference), size);

        var columns = new List<(string Name, ImageSource Pictures)> { ("photos", new ImageSubset(photos.Source, [.. photos.Test.Select(row => photos.Features.Indices[row])], "of the test")) };
        var rows = new List<CatRow> { new("test photos", draws.Of(MeasuredSet.Test, "photos never trained on", photos.Rows(photos.Test)), judge?.Accuracy) };
        var captions = new Captions(plain);
        var classes = Math.Max(1, source.ClassNames.Count);
        var prompts = Enumerable.Range(0, classes).Select(label => captions.Of(source, source.Examples.First(example => (example.Class ?? 0) == label)) ?? "").ToList();
        var squares = new Lazy<string>(() => Squares(photos, plain));
        foreach (var name in _options.Methods)
        {
            var (training, seconds) = TimedTraining.Run(Path.Combine(_output, "runs", name), _options.Minutes, (folder, steps) => Begin(folder, name, steps, squares), _tell, _cancellation);
            using (training)
            {
                if (training is AdaptationRun first && rows.TrueForAll(row => row.Set.Key != MeasuredSet.Base))
                    Add("base", MeasuredSet.Base, Drawn(first, "base", prompts, adapted: false), (0, 0), conditional: true);
                var pictures = training is AdaptationRun run ? Drawn(run, name, prompts, adapted: true) : FromScratch(training.Folder, name);
                Add(name, MeasuredSet.Samples, pictures, (TimedTraining.ImagesSeen(training), seconds), name != CatComparisonOptions.Gan);
            }
            CatComparisonFiles.Write(_output, _options, new CatFindings(rows, size, network.Name), columns); // what is done is seen even if the rest is broken off
        }
        return new CatFindings(rows, size, network.Name);

        void Add(string name, string key, ImageSource pictures, (long Images, double Seconds) cost, bool conditional)
        {
            using var features = extraction.RunAll(new SquaredSource(pictures, Side), null, _cancellation);
            var row = new CatRow(name, draws.Of(key, name, features.Features), conditional ? judge?.Right(features.Features, i => i % classes) : null, cost.Images, cost.Seconds);
            rows.Add(row);
            columns.Add((name, pictures));
            _tell(FormattableString.Invariant($"{name}: KID {row.Set[SetComparison.KidMean]:0.000}, coverage {row.Set["coverage"]:0.00}, {row.ImagesSeen} pictures in {row.Seconds:0} s"));
        }
    }

    /// <summary>The photos that are trained on, cut as everywhere, in folders by class: what models from scratch see.</summary>
    private string Squares(ReportPhotos photos, AdaptationOptions plain)
    {
        var folder = Path.Combine(_output, "photos");
        var names = photos.Features.Indices.Select(index => photos.Source.Examples[index].Name).ToList();
        foreach (var row in HashedParts.Places(names, AdaptationData.Share(plain, names.Count), DataPart.Training))
        {
            using var square = photos.Square(row, Side);
            var label = photos.Example(row).Class is { } index ? photos.Source.ClassNames[index] : "all";
            PngFile.Write(Path.Combine(folder, label, $"{row:D5}.png"), square);
        }
        return folder;
    }

    private ITrainingRun Begin(string folder, string name, int steps, Lazy<string> squares) => name switch
    {
        CatComparisonOptions.Diffusion => DiffusionTraining.Start(folder, new DiffusionOptions(squares.Value, steps, CheckpointEvery: int.MaxValue, SampleEvery: 0, Seed: _options.Seed, Precision: _options.Precision, Threads: _options.Threads, Resolution: Side, ReportSamples: 0).Checked()),
        CatComparisonOptions.Gan => GanTraining.Start(folder, new GanOptions(squares.Value, name, Steps: steps, Resolution: Side, Seed: _options.Seed, CheckpointEvery: int.MaxValue, EvaluateSamples: 0, DiffAugment: "color,translation,cutout", Threads: _options.Threads).Checked()),
        _ => AdaptationRun.Start(folder, Adaptation(name, steps).Checked()),
    };

    /// <summary>As the recipes cats and cats-replay of bruma train have it.</summary>
    private AdaptationOptions Adaptation(string name, int steps) => new(
        name == CatComparisonOptions.Lora ? AdaptationOptions.Lora : AdaptationOptions.TextToImage, _options.Model, _options.Data, steps, _options.BatchSize, LearningRate: name == CatComparisonOptions.Lora ? CatComparisonOptions.LoraLearningRate : CatComparisonOptions.FullLearningRate,
        LrSchedule: "cosine", LrWarmupSteps: Math.Min(100, steps / 5), Rank: name == CatComparisonOptions.Lora ? _options.Rank : 0, Targets: name == CatComparisonOptions.Lora ? [.. Adapters.LoraTargets.Attention, .. Adapters.LoraTargets.Convolutions] : null,
        Replay: name == CatComparisonOptions.WithReplay ? _options.Replay : null, MinSnrGamma: 5, EmaDecay: 0.999, CheckpointEvery: Math.Max(1, steps / Checkpoints), SampleEvery: 0, Seed: _options.Seed, Precision: _options.Precision, Threads: _options.Threads)
    { ReportSamples = 0 };

    private ImageFolder Drawn(AdaptationRun run, string name, List<string> prompts, bool adapted)
    {
        var wishes = Enumerable.Range(0, _options.Samples).Select(i => new SampleWish(prompts[i % prompts.Count], null)).ToList();
        new RunSamples(run.Options, Path.Combine(run.Folder, "model")).Draw(Folder(name), adapted, wishes, _options.Seed, _ => { }, _cancellation);
        return new ImageFolder(Folder(name));
    }

    private ImageFolder FromScratch(string run, string name)
    {
        using var scope = NewDisposeScope();
        var pictures = ComparisonSamples.Of(run, name, _options.Samples, _options.Seed);
        for (var i = 0; i < _options.Samples; i++)
            PngFile.Write(DrawnSamples.PathOf(Folder(name), i), pictures[i]);
        return new ImageFolder(Folder(name));
    }

    private string Folder(string name) => Path.Combine(_output, "samples", name);
}
