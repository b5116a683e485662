using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <param name="Data">Folder of the built data set.</param>
/// <param name="Model">Folder of a text-to-image model.</param>
/// <param name="Scorer">Folder of the scorer.</param>
/// <param name="Count">Prompts of each set.</param>
/// <param name="Drawing">Null draws with the model's own settings.</param>
public sealed record EmojiEvaluationOptions(string Data, string Model, string Scorer, string Output, int Count = 500, long Seed = 0, DrawSettings? Drawing = null);

/// <summary>What was measured of one set of prompts, and the same of the real pictures that they ask for.</summary>
/// <param name="Frechet">FD-emoji between halves of the set: real pictures of one, samples (or real pictures) of the other.</param>
/// <param name="Coverage">Share of real pictures of one half with a picture of the other in their neighbourhood.</param>
/// <param name="Copies">Share of pictures that are nearer to one learned picture than a third of the distance to those around it.</param>
internal sealed record EmojiScores(EmojiTestSet Set, EmojiAccuracy Accuracy, double Frechet, double Coverage, double Copies, EmojiScores? Real);

/// <summary>Judges a text-to-image model of emoji on what it learned and on what was held out, beside real pictures.</summary>
public sealed class EmojiEvaluation
{
    private const int Neighbours = 5;
    private const int Fewest = 4; // prompts of a set: its real pictures are compared half with half
    private const int Shown = 64;
    private const int Columns = 8;
    private const int Pairs = 16;
    private const long Halving = 55;

    private readonly EmojiEvaluationOptions _options;
    private readonly Action<EvaluationProgress> _progress;
    private readonly CancellationToken _cancellation;
    private readonly EmojiJudge _judge;
    private readonly EmojiScenes _scenes;
    private readonly EmojiScenePainter _painter;

    private EmojiEvaluation(EmojiEvaluationOptions options, Action<EvaluationProgress> progress, EmojiDataset data, LoadedScorer scorer, CancellationToken cancellation)
    {
        (_options, _progress, _cancellation) = (options, progress, cancellation);
        if (!scorer.Concepts.SequenceEqual(data.Concepts.Select(concept => concept.Codepoints)))
            throw new BrumaException($"{options.Scorer}: names {scorer.Concepts.Count} concepts that are not the {data.Concepts.Count} of {options.Data}; use the scorer that was trained on this data set.");
        (_judge, _scenes) = (new EmojiJudge(scorer), new EmojiScenes(data, EmojiSplits.Committed));
        _painter = new EmojiScenePainter(data, _scenes, EmojiScorer.Size);
    }

    /// <summary>Draws, judges, and writes <c>metrics.json</c>, <c>report.html</c>, <c>nearest.png</c> and a sheet for every set.</summary>
    /// <exception cref="BrumaException">Data, model or scorer are not usable.</exception>
    public static IReadOnlyList<IReadOnlyList<string>> Run(EmojiEvaluationOptions options, Action<EvaluationProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var data = EmojiDataset.Open(options.Data);
        using var scorer = EmojiScorerFiles.Read(options.Scorer);
        var evaluation = new EmojiEvaluation(options, progress ?? (_ => { }), data, scorer, cancellation);
        return evaluation.Run(EmojiTestSet.All(new EmojiPrompts(data, EmojiSplits.Committed), evaluation._scenes, options.Count).Where(set => set.Prompts.Count >= Fewest).ToList());
    }

    private IReadOnlyList<IReadOnlyList<string>> Run(List<EmojiTestSet> sets)
    {
        var seen = 0;
        var learned = _judge.Of(_scenes.Shown, picture =>
        {
            _cancellation.ThrowIfCancellationRequested();
            _progress(new EvaluationProgress("features of what was learned", ++seen, _scenes.Shown.Count));
            return _painter.Paint(new EmojiScene(SceneKind.Plain, picture));
        }).Features;
        var (scores, settings) = (new List<EmojiScores>(), "");
        foreach (var set in sets)
        {
            using var own = NewDisposeScope();
            (var drawn, settings) = DrawnSamples.Draw(Path.Combine(_options.Output, "samples", set.Key), (_options.Model, _options.Drawing), set.Prompts.Count, _options.Seed, [.. set.Prompts.Select(prompt => prompt.Caption)],
                done => _progress(new EvaluationProgress($"samples drawn: {set.Title}", done, set.Prompts.Count)), _cancellation);
            scores.Add(Measure(set, drawn, learned));
        }
        return EmojiEvaluationReport.Write(_options, settings, scores);
    }

    private EmojiScores Measure(EmojiTestSet set, ImageSource drawn, Tensor learned)
    {
        var pictures = Enumerable.Range(0, drawn.Examples.Count).Select(drawn.Load).ToList();
        PngFile.Write(Path.Combine(_options.Output, $"sheet-{set.Key}.png"), ContactSheet.Compose([.. pictures.Take(Shown)], Columns));
        var samples = _judge.Of(pictures, picture => ImageTensor.FromBytes(CentralSquare.Of(picture, EmojiScorer.Size, ResampleFilter.Box)));
        var real = _judge.Of(set.Prompts, prompt => _painter.Paint(prompt.Scene));
        var captions = _judge.Read(set.Prompts.Select(prompt => prompt.Caption));
        using var random = HashedSeed.At(_options.Seed, Halving);
        var order = randperm(real.Features.shape[0], generator: random);
        var (floor, floorCoverage) = BetweenHalves(real.Features, real.Features, order);
        var (distance, coverage) = BetweenHalves(real.Features, samples.Features, order);
        if (set.Key == "seen")
            DrawNearest(samples.Features, pictures, learned);
        var realScores = new EmojiScores(set, EmojiJudge.Accuracy(real, set.Prompts, captions), floor, floorCoverage, Copies(real.Features, learned), null);
        return new EmojiScores(set, EmojiJudge.Accuracy(samples, set.Prompts, captions), distance, coverage, Copies(samples.Features, learned), realScores);
    }

    /// <summary>One half of the real pictures against the prompts of the other half, and the other way round: what is compared with a second draw of real pictures must be of as many.</summary>
    private static (double Frechet, double Coverage) BetweenHalves(Tensor real, Tensor pictures, Tensor order)
    {
        using var scope = NewDisposeScope();
        var half = (int)order.shape[0] / 2;
        var (one, other) = (order[..half], order[half..(2 * half)]);
        var (first, second) = (Distances(real[one], pictures[other]), Distances(real[other], pictures[one]));
        return ((first.Frechet + second.Frechet) / 2, (first.Coverage + second.Coverage) / 2);
    }

    private static (double Frechet, double Coverage) Distances(Tensor reference, Tensor samples)
    {
        using var comparison = new SetComparison(reference, new ComparisonOptions(["fd", "coverage"], Neighbours: Neighbours, Parts: 0));
        var measured = comparison.Measure(samples);
        return (measured[SetComparison.Frechet].Value, measured["coverage"].Value);
    }

    private static double Copies(Tensor features, Tensor learned)
    {
        using var nearest = Memorisation.NearestForCopies(features, learned);
        return (Memorisation.CopyRatio(nearest) < Memorisation.CopyThreshold).to(float64).mean().item<double>();
    }

    /// <summary>Samples beside the learned picture that each most resembles, the most alike first.</summary>
    private void DrawNearest(Tensor features, List<Tensor> pictures, Tensor learned)
    {
        using var scope = NewDisposeScope();
        using var nearest = Memorisation.NearestForCopies(features, learned);
        var side = (int)pictures[0].shape[1];
        var rows = Memorisation.CopyRatio(nearest).argsort().data<long>().Take(Pairs).ToList();
        PngFile.Write(Path.Combine(_options.Output, "nearest.png"), ContactSheet.Compose([.. rows.SelectMany(row => new[]
        {
            pictures[(int)row],
            Resampling.Resize(ImageTensor.ToBytes(_painter.Paint(new EmojiScene(SceneKind.Plain, _scenes.Shown[(int)nearest.Indices[row, 0].item<long>()])).unsqueeze(0))[0], side, side, ResampleFilter.Bicubic),
        })], Columns));
    }
}
