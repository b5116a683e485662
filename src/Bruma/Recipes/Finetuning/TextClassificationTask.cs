using Bruma.Data;
using Bruma.Text;
using Bruma.Transformers;
using Bruma.Transformers.Embeddings;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Finetuning;

/// <summary>Texts, or pairs of texts, into classes with a BERT.</summary>
internal sealed class TextClassificationTask : ClassificationTask
{
    private readonly IReadOnlyList<LabelledText> _texts;
    private readonly IReadOnlyList<TokenizedText> _tokens;
    private readonly TextClassifier _network;
    private readonly Tokenizer _tokenizer;
    private readonly int _cut;

    private TextClassificationTask(LabelledSplits data, IReadOnlyList<LabelledText> texts, FinetuneOptions options) : base(data, options)
    {
        _texts = texts;
        var encoder = BertModel.Load(options.Model);
        _tokenizer = TokenizerMatch.Load(options.Model, encoder.Config.VocabSize);
        var pooling = options.Pooling.Length > 0 ? SentencePooling.Named(options.Pooling, "--pooling")
            : Directory.Exists(Path.Combine(options.Model, "1_Pooling")) ? SentencePooling.Read(options.Model) : encoder.HasPooler ? Pooling.Pooler : Pooling.Mean;
        if (options.Dropout >= 0)
            foreach (var dropout in encoder.modules().OfType<Nn.SeededDropout>())
                dropout.Probability = options.Dropout;
        _network = new TextClassifier(encoder, data.Classes.Count, pooling, options.Dropout >= 0 ? options.Dropout : null);
        encoder.IsCheckpointed = options.GradientCheckpointing;
        Initialize(_network.Classifier, options.Seed);
        var limit = Math.Min(options.MaxLength, encoder.Config.MaxPositionEmbeddings);
        var pairs = texts.Select(text => (text.Text, text.Pair)).ToList();
        _cut = _tokenizer.EncodeBatch(pairs, new EncodingOptions(limit + 1, Truncation.LongestFirst)).Count(tokens => tokens.Ids.Count > limit);
        _tokens = _tokenizer.EncodeBatch(pairs, new EncodingOptions(limit, Truncation.LongestFirst));
    }

    /// <exception cref="BrumaException">A row has no text or label, there is one class only, or the model does not load.</exception>
    public static TextClassificationTask Load(FinetuneOptions options)
    {
        var (training, test) = FinetuneTasks.Texts(options);
        var texts = training.Concat(test).ToList();
        var classes = training.Select(text => text.Label).Distinct().Order(StringComparer.Ordinal).ToList();
        var places = classes.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i, StringComparer.Ordinal);
        var labels = texts.Select(text => places.TryGetValue(text.Label, out var label) ? label
            : throw new BrumaException($"{text.Origin}: the label \"{text.Label}\" does not occur among the training examples ({string.Join(", ", classes.Take(10))}); correct it or train on it too.")).ToList();
        return new TextClassificationTask(LabelledSplits.Create(classes, labels, test.Count > 0 ? training.Count : null, options), texts, options);
    }

    public override Module Network => _network;

    public override int Layers => _network.Encoder.Config.NumHiddenLayers;

    public override IReadOnlyList<string> Head => ["classifier.", "pooler."];

    public override IReadOnlyList<string> Unused => _network.PoolingMode == Pooling.Pooler ? [] : ["pooler."];

    public override IReadOnlyList<string> LoraTargets => ["query", "value"];

    public override IEnumerable<string> Description =>
    [
        $"{Count(Split.Train)} texts to train on, {Count(Split.Validation)} to watch by, {Count(Split.Test)} to report on; {Data.Classes.Count} classes: {string.Join(", ", Data.Classes.Take(12))}{(Data.Classes.Count > 12 ? ", ..." : "")}",
        .. _cut > 0 ? new[] { $"{_cut} texts have more than {Math.Min(Options.MaxLength, _network.Encoder.Config.MaxPositionEmbeddings)} tokens and are cut there" } : [],
    ];

    protected override Linear Classifier => _network.Classifier;

    public override string Show(int example) => _texts[example].Pair is { } pair ? $"{_texts[example].Text} / {pair}" : _texts[example].Text;

    protected override TaskBatch Inputs(IReadOnlyList<int> examples, Split split)
    {
        var batch = TokenBatches.Padded([.. examples.Select(example => _tokens[example])], _tokenizer.Options.PadId ?? 0);
        return new TaskBatch(batch.InputIds, Labels(examples), batch.AttentionMask, batch.TypeIds, examples.Count);
    }

    protected override Tensor Features(TaskBatch batch) => _network.Features(batch.Inputs, new TextPass(batch.Mask, batch.TypeIds));

    protected override Tensor Classify(Tensor features) => _network.Classify(features);

    protected override void SaveNetwork(string folder)
    {
        _network.Save(folder, Options.Model, Data.Classes);
        TokenizerFiles.Copy(Options.Model, folder);
    }
}
