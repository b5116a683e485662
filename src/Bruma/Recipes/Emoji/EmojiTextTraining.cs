using System.Text.Json;
using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Metrics;
using Bruma.Nn;
using Bruma.Text;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Trains the text encoder against pictures; with other options, the scorer that judges samples.</summary>
public sealed class EmojiTextTraining : EmojiStage<CaptionedBatch>
{
    private const double ConceptWeight = 0.3;
    private const double StyleWeight = 0.1;
    private const int MeasureBatch = 128;
    private const long Initial = 7;
    private const string TokenizerFolder = "tokenizer";
    private const string TextPrefix = "text.text_model.";

    private readonly EmojiTextOptions _options;
    private readonly EmojiDataset _data;
    private readonly EmojiSplits _splits;
    private readonly Tokenizer _tokenizer;
    private readonly List<int> _seen;
    private readonly List<int> _hidden;
    private readonly EmojiScorer _network;

    private EmojiTextTraining(RunFolder run, EmojiTextOptions options, EmojiDataset data, EmojiSplits splits)
        : base(run, options.Settings)
    {
        (_options, _data, _splits) = (options, data, splits);
        _tokenizer = Tokenizer.Load(Path.Combine(run.Root, TokenizerFolder));
        var all = Enumerable.Range(0, data.Pictures.Count).ToLookup(i => splits.HidesPicture(data.Index.Styles[data.Pictures[i].Style], data.Concepts[data.Pictures[i].Concept].Codepoints));
        _seen = options.SeesAll ? [.. Enumerable.Range(0, data.Pictures.Count)] : [.. all[false]];
        _hidden = [.. all[true]];
        _network = new EmojiScorer(options.Network(_tokenizer.VocabularySize), data.Concepts.Count, data.Index.Styles.Count);
        using (var start = HashedSeed.At(options.Seed, Initial))
            _network.Initialize(start);
        Trainer = new Trainer<CaptionedBatch>(_network, (batch, _) => Loss(batch), options.Trainer, ComputePrecision.TypeOf(options.Precision));
    }

    /// <summary>The tokenizer of a run.</summary>
    public static string TokenizerOf(string run) => Path.Combine(run, TokenizerFolder);

    protected override Trainer<CaptionedBatch> Trainer { get; }

    /// <exception cref="BrumaException">Data or folder are not usable; nothing is written then.</exception>
    public static EmojiTextTraining Start(string folder, EmojiTextOptions options, EmojiSplits splits)
    {
        RunFolder.CheckNew(folder);
        var data = EmojiDataset.Open(options.Data);
        var tokenizer = TokenizerTraining.Train(EmojiCorpus.Texts(data, splits).Select(text => (text, 1)), new TokenizerTrainingOptions(options.VocabularySize, "clip", MaxLength: EmojiTextOptions.Positions));
        var run = RunFolder.Create(folder, JsonSerializer.Serialize(options, EmojiOptionsJson.Default.EmojiTextOptions) + "\n");
        tokenizer.Save(TokenizerOf(folder));
        run.WriteProvenance(options.Precision, data.Sha256);
        return new EmojiTextTraining(run, options, data, splits);
    }

    public static EmojiTextTraining Resume(string folder, EmojiSplits splits)
    {
        var run = RunFolder.Open(folder);
        var options = EmojiOptionsJson.Read(run.Config, EmojiOptionsJson.Default.EmojiTextOptions);
        var training = new EmojiTextTraining(run, options, EmojiDataset.Open(options.Data), splits);
        training.RestoreNewest();
        return training;
    }

    /// <summary>Writes the scorer, and the text encoder in the layout of transformers.</summary>
    public override IEnumerable<string> Finish()
    {
        using var scope = NewDisposeScope();
        var weights = Trainer.Parameters.Named(Trainer.Average!).ToList();
        var config = _options.Network(_tokenizer.VocabularySize);
        if (!_options.SeesAll)
            EmojiPipelineFiles.WriteTextEncoder(Path.Combine(RunFolder.Model, "text_encoder"), config, [.. weights.Where(pair => pair.Key.StartsWith(TextPrefix, StringComparison.Ordinal)).Select(pair => KeyValuePair.Create(pair.Key["text.".Length..], pair.Value))]);
        EmojiScorerFiles.Write(RunFolder.Model, weights, (config, [.. _data.Concepts.Select(concept => concept.Codepoints)], _data.Index.Styles), TokenizerOf(Folder));
        yield return $"{(_options.SeesAll ? "scorer" : "text encoder")}: {RunFolder.Model}";
    }

    public override void Dispose()
    {
        base.Dispose();
        _network.Dispose();
        _data.Dispose();
    }

    protected override IEnumerable<CaptionedBatch> Batches(long first) =>
        Prefetch.From(first, new EmojiTextBatches(_data, _seen, _options, (new EmojiCaptions(_data, _options.SeesAll ? EmojiSplits.None : _splits), _tokenizer)).At);

    /// <summary>How often a Spanish name finds its English one among all, for concepts trained in both languages and for H4; and how often a held-out picture finds its concept's name.</summary>
    protected override IReadOnlyDictionary<string, double> Measure(long step)
    {
        using var scope = NewDisposeScope();
        var english = Names(concept => concept.English);
        var spanish = Names(concept => concept.Spanish);
        var found = english.matmul(spanish.t()).argmax(1).data<long>().ToArray(); // the Spanish name nearest to each English one
        var both = Enumerable.Range(0, found.Length).Where(i => !_splits.HidesConcept(_data.Concepts[i].Codepoints)).ToLookup(i => _splits.HidesSpanish(_data.Concepts[i].Codepoints));
        return new Dictionary<string, double>
        {
            [EmojiMeasures.Loss] = HeldOutLoss(english),
            ["en_es_top1"] = Share(both[false], i => found[i] == i),
            ["en_es_top1_h4"] = Share(both[true], i => found[i] == i),
            ["held_out_picture_top1"] = PictureTop1(english),
        };
    }

    private static double Share(IEnumerable<int> chosen, Func<int, bool> holds) => chosen.Select(i => holds(i) ? 1.0 : 0).DefaultIfEmpty(double.NaN).Average() is var share && double.IsNaN(share) ? 0 : share;

    private double PictureTop1(Tensor names)
    {
        var right = 0;
        foreach (var part in _hidden.Chunk(MeasureBatch))
        {
            using var own = NewDisposeScope();
            var vectors = _network.Judge(_network.Features(EmojiPainter.Plain(_data.Pixels, part, EmojiTextBatches.Size))).Vectors;
            var nearest = vectors.matmul(names.t()).argmax(1).data<long>().ToArray();
            right += part.Where((picture, i) => nearest[i] == _data.Pictures[picture].Concept).Count();
        }
        return (double)right / Math.Max(1, _hidden.Count);
    }

    /// <summary>Of held-out pictures with the English names of what they show.</summary>
    private double HeldOutLoss(Tensor names)
    {
        using var scope = NewDisposeScope();
        var chosen = _hidden.Take(MeasureBatch).ToList();
        var shown = tensor(chosen.Select(picture => (long)_data.Pictures[picture].Concept).ToArray());
        var vectors = _network.Judge(_network.Features(EmojiPainter.Plain(_data.Pixels, chosen, EmojiTextBatches.Size))).Vectors;
        return SigmoidContrast.Loss(vectors, names[shown], shown.unsqueeze(1) == shown.unsqueeze(0), _network.LogScale, _network.Bias).item<float>();
    }

    /// <returns>[K, P].</returns>
    private Tensor Names(Func<EmojiConcept, string> name) =>
        cat([.. _data.Concepts.Chunk(MeasureBatch).Select(part => _network.Captions(EmojiCorpus.Ids(_tokenizer, [.. part.Select(name)], Padding.Longest)))]);

    private Tensor Loss(CaptionedBatch batch)
    {
        using var scope = NewDisposeScope();
        var (vectors, concepts, styles) = _network.Judge(_network.Features(batch.Pictures));
        var captions = _network.Captions(batch.Ids);
        var shown = batch.Concepts.repeat_interleave(2); // [2N]
        var contrast = SigmoidContrast.Loss(vectors, captions, batch.Concepts.unsqueeze(1) == shown.unsqueeze(0), _network.LogScale, _network.Bias);
        return (contrast + ConceptWeight * nn.functional.cross_entropy(concepts, batch.Concepts) + StyleWeight * nn.functional.cross_entropy(styles, batch.Styles)).MoveToOuterDisposeScope();
    }
}
