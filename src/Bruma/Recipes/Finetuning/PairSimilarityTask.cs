using Bruma.Data;
using Bruma.Hub;
using Bruma.Text;
using Bruma.Transformers;
using Bruma.Transformers.Embeddings;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Finetuning;

/// <summary>Pairs of texts with a degree of likeness: the cosine of their vectors is to be it.</summary>
/// <remarks>Reimers and Gurevych 2019, arXiv:1908.10084, the regression objective.</remarks>
internal sealed class PairSimilarityTask : FinetuneTask
{
    private const int EvaluationBatch = 64;

    private readonly IReadOnlyList<LabelledText> _texts;
    private readonly double[] _degrees; // in [0, 1]
    private readonly IReadOnlyList<TokenizedText> _first;
    private readonly IReadOnlyList<TokenizedText> _second;
    private readonly Dictionary<Split, IReadOnlyList<int>> _examples;
    private readonly SentenceEmbedder _embedder;
    private readonly Pooling _pooling;
    private readonly FinetuneOptions _options;

    private PairSimilarityTask(IReadOnlyList<LabelledText> texts, double[] degrees, Dictionary<Split, IReadOnlyList<int>> examples, FinetuneOptions options)
    {
        (_texts, _degrees, _examples, _options) = (texts, degrees, examples, options);
        _embedder = SentenceEmbedder.Load(options.Model, maxLength: options.MaxLength);
        _pooling = SentencePooling.Read(options.Model);
        _embedder.Network.IsCheckpointed = options.GradientCheckpointing;
        _first = _embedder.Encode([.. texts.Select(text => text.Text)]);
        _second = _embedder.Encode([.. texts.Select(text => text.Pair!)]);
    }

    /// <exception cref="BrumaException">A row lacks a text or its degree, or the model does not load.</exception>
    public static PairSimilarityTask Load(FinetuneOptions options)
    {
        var (training, test) = FinetuneTasks.Texts(options);
        var texts = training.Concat(test).ToList();
        var degrees = texts.Select(text => text.Pair is null ? throw new BrumaException($"{text.Origin}: has one text; {FinetuneTasks.PairSimilarity} needs \"sentence1\" and \"sentence2\".")
            : FinetuneTasks.Degree(text.Label) ?? throw new BrumaException($"{text.Origin}: the label is \"{text.Label}\"; {FinetuneTasks.PairSimilarity} needs a number from 0 (unlike) to 1 (or 5: alike).")).ToArray();
        var (low, high) = (Math.Min(0, degrees.Min()), Math.Max(1, degrees.Max()));
        var order = Enumerable.Range(0, training.Count).OrderBy(example => Nn.HashedSeed.Of(options.Seed, 4, example)).ToList();
        var forTest = test.Count > 0 ? 0 : (int)Math.Round(training.Count * options.TestShare);
        var forValidation = (int)Math.Round((training.Count - forTest) * options.ValidationShare);
        if (training.Count - forTest - forValidation < 1)
            throw new BrumaException($"{options.Data}: {training.Count} pairs are too few for the split; add some or lower --test-share and --validation-share.");
        var examples = new Dictionary<Split, IReadOnlyList<int>>
        {
            [Split.Train] = order[(forTest + forValidation)..],
            [Split.Validation] = order[forTest..(forTest + forValidation)],
            [Split.Test] = test.Count > 0 ? [.. Enumerable.Range(training.Count, test.Count)] : order[..forTest],
        };
        return new PairSimilarityTask(texts, [.. degrees.Select(degree => (degree - low) / (high - low))], examples, options);
    }

    public override Module Network => _embedder.Network;

    public override int Layers => _embedder.Network.Config.NumHiddenLayers;

    public override IReadOnlyList<string> Head => ["pooler."];

    public override IReadOnlyList<string> Unused => ["pooler."];

    public override IReadOnlyList<string> LoraTargets => ["query", "value"];

    public override IEnumerable<string> Description =>
    [
        $"{Count(Split.Train)} pairs to train on, {Count(Split.Validation)} to watch by, {Count(Split.Test)} to report on",
        .. _embedder.Truncated > 0 ? new[] { $"{_embedder.Truncated} texts have more than {_embedder.MaxLength} tokens and are cut there" } : [],
    ];

    public override int Count(Split split) => _examples[split].Count;

    public override TaskBatch Batch(Split split, IReadOnlyList<int> indices)
    {
        var examples = indices.Select(index => _examples[split][index]).ToList();
        var tokens = TokenBatches.Padded([.. examples.Select(example => _first[example]), .. examples.Select(example => _second[example])], _embedder.Tokenizer.Options.PadId ?? 0);
        return new TaskBatch(tokens.InputIds, tensor(examples.Select(example => (float)_degrees[example]).ToArray()), tokens.AttentionMask, tokens.TypeIds, examples.Count);
    }

    public override Tensor Loss(TaskBatch batch)
    {
        using var scope = NewDisposeScope();
        return functional.mse_loss(Cosines(batch), batch.Labels).MoveToOuterDisposeScope();
    }

    public override Evaluation Evaluate(Split split)
    {
        using var still = no_grad();
        var (was, cosines) = (Network.training, new List<double>());
        Network.eval();
        foreach (var indices in Enumerable.Range(0, Count(split)).Chunk(EvaluationBatch))
        {
            using var scope = NewDisposeScope();
            using var batch = Batch(split, indices);
            cosines.AddRange(Cosines(batch).to(float64).data<double>().ToArray());
        }
        Network.train(was);
        var degrees = _examples[split].Select(example => _degrees[example]).ToList();
        var spearman = Correlation(Ranks(cosines), Ranks(degrees));
        return new Evaluation([new("spearman", spearman), new("pearson", Correlation(cosines, degrees)), new("mean_squared_error", cosines.Zip(degrees, (a, b) => (a - b) * (a - b)).DefaultIfEmpty().Average())], spearman);
    }

    public override void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        ModuleWeights.Save(Network, Path.Combine(folder, "model.safetensors"));
        TokenizerFiles.Copy(_options.Model, folder);
        foreach (var file in new[] { "config.json", "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", Path.Combine("1_Pooling", "config.json") }.Where(file => File.Exists(Path.Combine(_options.Model, file))))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file))!);
            File.WriteAllBytes(Path.Combine(folder, file), File.ReadAllBytes(Path.Combine(_options.Model, file)));
        }
    }

    private Tensor Cosines(TaskBatch batch)
    {
        using var scope = NewDisposeScope();
        var states = _embedder.Network.call(batch.Inputs, new TextPass(batch.Mask, batch.TypeIds)).LastHiddenState;
        var vectors = SentencePooling.Of(states.to(float32), batch.Mask!, _pooling);
        var pairs = batch.Labels.shape[0];
        return functional.cosine_similarity(vectors.narrow(0, 0, pairs), vectors.narrow(0, pairs, pairs), 1).MoveToOuterDisposeScope();
    }

    private static double Correlation(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        if (a.Count < 2)
            return double.NaN;
        var (meanA, meanB) = (a.Average(), b.Average());
        var (product, squareA, squareB) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Count; i++)
            (product, squareA, squareB) = (product + (a[i] - meanA) * (b[i] - meanB), squareA + (a[i] - meanA) * (a[i] - meanA), squareB + (b[i] - meanB) * (b[i] - meanB));
        return product / Math.Sqrt(Math.Max(squareA * squareB, 1e-300));
    }

    /// <summary>Places by size; equal values share the mean of theirs.</summary>
    private static double[] Ranks(List<double> values)
    {
        var ranks = new double[values.Count];
        var place = 0;
        foreach (var group in Enumerable.Range(0, values.Count).GroupBy(i => values[i]).OrderBy(group => group.Key))
        {
            var members = group.ToList();
            foreach (var member in members)
                ranks[member] = place + (members.Count - 1) / 2.0;
            place += members.Count;
        }
        return ranks;
    }
}
