using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Recipes.Adaptation;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Whether a run has learned a style of drawing, and not only the pictures that it saw: concepts that it never saw are drawn in the style, and judged beside those of the base and real ones.</summary>
/// <remarks>Concepts of the style that the base knows and the run never saw are parted in the order of a hash: from one half the judge of styles learns, the other half is asked for.</remarks>
public sealed class StyleComparison
{
    private const int SubsetSize = 70;

    private readonly StyleOptions _options;
    private readonly string _output;
    private readonly Action<string> _tell;
    private readonly CancellationToken _cancellation;
    private readonly (EmojiDataset Style, EmojiDataset Known) _data;
    private readonly FeatureExtraction _extraction;
    private readonly LoadedScorer _scorer;

    private StyleComparison(string output, StyleOptions options, (EmojiDataset Style, EmojiDataset Known) data, (FeatureExtraction Extraction, LoadedScorer Scorer) seeing, (Action<string>? Tell, CancellationToken Cancellation) run)
    {
        (_output, _options, _data) = (output, options, data);
        (_extraction, _scorer) = seeing;
        (_tell, _cancellation) = (run.Tell ?? (_ => { }), run.Cancellation);
    }

    /// <summary>Draws, judges and writes <c>report.html</c>, <c>table.json</c>, <c>sheet.png</c> and the samples.</summary>
    /// <param name="tell">Told what happens, a line at a time.</param>
    /// <exception cref="BrumaException">The run is not finished or saw all concepts, or a data set is not there.</exception>
    public static StyleFindings Run(string output, StyleOptions options, Action<string>? tell = null, CancellationToken cancellationToken = default)
    {
        RunFolder.CheckNew(output);
        options.Checked();
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var adapted = AdaptedModel.Open(options.Run, null);
        if (adapted.Options.Recipe == AdaptationOptions.ControlNet)
            throw new BrumaException($"{options.Run}: trained a ControlNet, which draws in the base's styles; give a run of {AdaptationOptions.Lora}, {AdaptationOptions.TextToImage}, {AdaptationOptions.DreamBooth} or {AdaptationOptions.TextualInversion}.");
        using var style = EmojiDataset.Open(options.Style);
        using var known = EmojiDataset.Open(options.Known);
        using var scorer = EmojiScorerFiles.Read(options.Scorer);
        using var network = FeatureNetworks.Open(options.Features);
        var comparison = new StyleComparison(output, options, (style, known), (new FeatureExtraction(network, options.Cache is { } cache ? new FeatureCache(cache) : null), scorer), (tell, cancellationToken));
        return comparison.Run(adapted, network.Name);
    }

    private StyleFindings Run(AdaptedModel adapted, string network)
    {
        var (forJudge, asked) = Unseen(adapted.Options);
        var (judge, real) = Judge(forJudge);
        var name = _data.Style.Index.Styles[0];
        var askedFeatures = Features(_data.Style, asked);
        var (accuracy, falseAlarms) = Reliability(judge, [askedFeatures, .. Known(asked, askedFeatures)]);
        _tell(FormattableString.Invariant($"the judge names the style of {100 * accuracy:0} % of the real pictures of concepts that it never saw"));

        var word = adapted.Options.PlaceholderToken ?? name; // the base reads the word that a new one began with
        var prompts = asked.Select(picture => $"{ConceptOf(picture).English}, {word} style").ToList();
        var places = _scorer.Concepts.Index().ToDictionary(concept => concept.Item, concept => concept.Index, StringComparer.Ordinal);
        var concepts = asked.Select(picture => (IReadOnlyList<int>)[places.GetValueOrDefault(ConceptOf(picture).Codepoints, -1)]).ToList();
        using var kid = new SetComparison(real, new ComparisonOptions(["kid"], KidSubsetSize: SubsetSize, Parts: 0));
        var samples = new RunSamples(adapted.Options, adapted.Folder);
        var whole = new ImageSubset(new EmojiPictureSource(_data.Style), asked, "asked for");
        var sets = new List<(string Name, ImageSource Pictures)>
        {
            ("the base", Draw("base", false)),
            (Path.GetFileName(Path.TrimEndingDirectorySeparator(_options.Run)), Draw("run", true)),
            ("real, through the autoencoder", samples.Reconstruct(Path.Combine(_output, "samples", "autoencoder"), asked.Select((_, i) => new SquaredSource(whole, adapted.Options.Resolution).Load(i)))),
            ("real", whole),
        };
        var rows = sets.Select(set =>
        {
            using var own = NewDisposeScope();
            var features = ReferenceEquals(set.Pictures, whole) ? askedFeatures : Features(set.Pictures, [.. Enumerable.Range(0, prompts.Count)]);
            var opinion = new EmojiJudge(_scorer).Of(Enumerable.Range(0, prompts.Count), i => ImageTensor.FromBytes(CentralSquare.Of(set.Pictures.Load(i), EmojiScorer.Size, ResampleFilter.Box)));
            var (top1, top5) = EmojiJudge.Recognised(opinion, concepts);
            var row = new StyleRow(set.Name, judge.Share(features, 0), top1, top5, kid.Measure(features)[SetComparison.KidMean].Value);
            _tell(FormattableString.Invariant($"{row.Name}: {100 * row.InStyle:0} % in the style, right concept {100 * row.Top1:0} %, among five {100 * row.Top5:0} %, KID {row.Kid:0.000}"));
            return row;
        }).ToList();
        var findings = new StyleFindings(name, rows, accuracy, falseAlarms, network);
        StyleComparisonFiles.Write(_output, _options, findings, (prompts, sets));
        return findings;

        ImageSource Draw(string set, bool isAdapted) => samples.Draw(Path.Combine(_output, "samples", set), isAdapted, [.. prompts.Select(prompt => new SampleWish(isAdapted || adapted.Options.PlaceholderToken is null ? prompt : prompt.Replace(word, adapted.Options.InitializerToken, StringComparison.Ordinal), null))], _options.Seed, _ => { }, _cancellation);
    }

    /// <summary>Pictures of the style whose concepts the base learned and the run never saw: for the judge, and to be asked for.</summary>
    private (List<int> Judge, List<int> Asked) Unseen(AdaptationOptions run)
    {
        var seen = ImageSource.Open(run.Data).Examples.Select(example => Path.GetFileNameWithoutExtension(example.Name)).ToHashSet(StringComparer.Ordinal);
        var known = _data.Known.Concepts.Select(concept => concept.Codepoints).ToHashSet(StringComparer.Ordinal);
        var style = _data.Style.Index.Styles is [var only] ? only : throw new BrumaException($"{_options.Style}: has {_data.Style.Index.Styles.Count} styles; give the data set of one.");
        var unseen = Enumerable.Range(0, _data.Style.Pictures.Count)
            .Where(i => ConceptOf(i) is var concept && concept.IsDrawable && known.Contains(concept.Codepoints) && !seen.Contains(concept.Codepoints) && !EmojiSplits.Committed.HidesConcept(concept.Codepoints))
            .OrderBy(i => EmojiSplits.FirstByte("judge", style, ConceptOf(i).Codepoints)).ToList();
        var half = unseen.Count / 2;
        return half >= 2
            ? (EmojiPrompts.Spread(unseen[..half], _options.JudgeConcepts), EmojiPrompts.Spread(unseen[half..], _options.Samples))
            : throw new BrumaException($"{run.Data}: leaves {unseen.Count} concepts of {style} that the run never saw, where at least 4 are needed; train on fewer pictures (--data openmoji has 400).");
    }

    /// <summary>A judge whose class 0 is the new style and the others those of the base, and the features of the new style's real pictures.</summary>
    private (StyleJudge Judge, Tensor Real) Judge(List<int> pictures)
    {
        var own = Features(_data.Style, pictures);
        return (StyleJudge.Fit([own, .. Known(pictures, own)]), own);
    }

    /// <summary>What the judge is worth on the real pictures of the concepts that are asked for.</summary>
    /// <param name="sets">Their features, a style after the other.</param>
    private static (double Accuracy, double FalseAlarms) Reliability(StyleJudge judge, List<Tensor> sets)
    {
        var (right, alarms, others) = (0.0, 0.0, 0.0);
        foreach (var (style, features) in sets.Index().Where(set => set.Item.shape[0] > 0))
        {
            right += judge.Share(features, style) * features.shape[0];
            alarms += style == 0 ? 0 : judge.Share(features, 0) * features.shape[0];
            others += style == 0 ? 0 : features.shape[0];
        }
        return (right / sets.Sum(features => features.shape[0]), alarms / others);
    }

    /// <summary>Features of the base's own pictures of the same concepts, a style after the other; a style may have none of them.</summary>
    /// <param name="own">Those of the pictures themselves.</param>
    private List<Tensor> Known(List<int> pictures, Tensor own)
    {
        var concepts = pictures.Select(i => ConceptOf(i).Codepoints).ToHashSet(StringComparer.Ordinal);
        var drawn = Enumerable.Range(0, _data.Known.Pictures.Count).Where(i => concepts.Contains(_data.Known.Concepts[_data.Known.Pictures[i].Concept].Codepoints)).ToLookup(i => _data.Known.Pictures[i].Style);
        return [.. Enumerable.Range(0, _data.Known.Index.Styles.Count).Select(style => drawn.Contains(style) ? Features(_data.Known, [.. drawn[style]]) : own.slice(0, 0, 0, 1))];
    }

    /// <returns>[N, D], in the caller's scope.</returns>
    private Tensor Features(EmojiDataset data, List<int> pictures) => Features(new EmojiPictureSource(data), pictures);

    /// <returns>[N, D], in the caller's scope.</returns>
    private Tensor Features(ImageSource source, List<int> pictures)
    {
        using var set = _extraction.Run(source, pictures, null, _cancellation);
        return set.Features.alias();
    }

    private EmojiConcept ConceptOf(int picture) => _data.Style.Concepts[_data.Style.Pictures[picture].Concept];
}
