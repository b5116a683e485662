using System.Globalization;
using Bruma.Hub;
using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Finetuning;

/// <summary>A language model adapted to the texts of a domain: it learns to predict their next words.</summary>
internal sealed class LanguageTask : FinetuneTask
{
    private const int EvaluationBatch = 8;

    private readonly int[] _tokens;
    private readonly int _length;
    private readonly Dictionary<Split, IReadOnlyList<int>> _windows;
    private readonly Module _network;
    private readonly ILanguageModel _model;
    private readonly FinetuneOptions _options;

    private LanguageTask((Module Network, ILanguageModel Model) network, int[] tokens, Dictionary<Split, IReadOnlyList<int>> windows, FinetuneOptions options)
    {
        (_network, _model) = network;
        (_tokens, _windows, _options) = (tokens, windows, options);
        _length = LengthOf(network.Model, options);
        if (options.Dropout >= 0)
            foreach (var dropout in _network.modules().OfType<Nn.SeededDropout>())
                dropout.Probability = options.Dropout;
    }

    /// <exception cref="BrumaException">The text is too short, or the model is no language model.</exception>
    public static LanguageTask Load(FinetuneOptions options)
    {
        var network = Open(options.Model);
        var tokenizer = Transformers.Embeddings.TokenizerMatch.Load(options.Model, network.Model.VocabularySize);
        var length = LengthOf(network.Model, options);
        var training = Tokens(tokenizer, options.Data);
        var test = options.Test.Length > 0 ? Tokens(tokenizer, options.Test) : [];
        var count = training.Length / length;
        var forTest = test.Length > 0 ? 0 : (int)Math.Round(count * options.TestShare);
        var forValidation = (int)Math.Round((count - forTest) * options.ValidationShare);
        if (count - forTest - forValidation < 1)
            throw new BrumaException($"{options.Data}: has {training.Length} tokens, which make {count} windows of {length} and too few for the split; give a longer text or lower --max-length.");
        var whole = Enumerable.Range(0, count).Select(window => window * length).ToList(); // in order: what is kept apart is the end of the text
        return new LanguageTask(network, [.. training, .. test], new Dictionary<Split, IReadOnlyList<int>>
        {
            [Split.Train] = whole[..(count - forTest - forValidation)],
            [Split.Validation] = whole[(count - forTest - forValidation)..(count - forTest)],
            [Split.Test] = test.Length > 0 ? [.. Enumerable.Range(0, test.Length / length).Select(window => training.Length + window * length)] : whole[(count - forTest)..],
        }, options);
    }

    public override Module Network => _network;

    public override string Command => "bruma complete";

    public override int Layers => _model.Layers;

    public override IReadOnlyList<string> Head => ["lm_head."];

    public override IReadOnlyList<string> LoraTargets => ["q_proj", "v_proj"];

    public override IEnumerable<string> Description => [$"{Count(Split.Train)} windows of {_length} tokens to train on, {Count(Split.Validation)} to watch by, {Count(Split.Test)} to report on"];

    public override int Count(Split split) => _windows[split].Count;

    public override TaskBatch Batch(Split split, IReadOnlyList<int> indices)
    {
        var ids = tensor(indices.SelectMany(index => _tokens.AsSpan(_windows[split][index], _length).ToArray()).Select(id => (long)id).ToArray(), [indices.Count, _length]);
        return new TaskBatch(ids, ids.clone(), null, null, indices.Count * (_length - 1));
    }

    public override Tensor Loss(TaskBatch batch)
    {
        using var scope = NewDisposeScope();
        return SequenceLoss.Next(_model.Predict(_model.Read(batch.Inputs, new TextPass()).LastHiddenState), batch.Labels).MoveToOuterDisposeScope();
    }

    public override Evaluation Evaluate(Split split)
    {
        using var still = no_grad();
        var (was, loss, tokens) = (_network.training, 0.0, 0.0);
        _network.eval();
        foreach (var indices in Enumerable.Range(0, Count(split)).Chunk(EvaluationBatch))
        {
            using var scope = NewDisposeScope();
            using var batch = Batch(split, indices);
            loss += Loss(batch).item<float>() * batch.Count;
            tokens += batch.Count;
        }
        _network.train(was);
        loss /= Math.Max(1, tokens);
        return new Evaluation([new("loss", loss), new("perplexity", Math.Exp(loss))], -loss);
    }

    public override void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in new[] { "config.json", "generation_config.json" }.Where(file => File.Exists(Path.Combine(_options.Model, file))))
            File.WriteAllBytes(Path.Combine(folder, file), File.ReadAllBytes(Path.Combine(_options.Model, file)));
        ModuleWeights.Save(_network, Path.Combine(folder, "model.safetensors"));
        TokenizerFiles.Copy(_options.Model, folder);
    }

    public override IEnumerable<string> Report(string folder)
    {
        using var before = Load(_options);
        return Count(Split.Test) == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"perplexity of the model before: {before.Evaluate(Split.Test).Measures[1].Value:0.00}")];
    }

    public override void Check(Strategy strategy, ScalarType precision)
    {
        base.Check(strategy, precision);
        if (strategy.UsesLora && _network is Gpt2LmHeadModel)
            throw new BrumaException("--strategy lora: the layers of GPT-2 are stored transposed, and there are no low-rank updates for them; choose full or last-N.");
    }

    private static int LengthOf(ILanguageModel model, FinetuneOptions options) => Math.Min(options.MaxLength, model.MaxPositions ?? int.MaxValue);

    private static int[] Tokens(Tokenizer tokenizer, string file) => File.Exists(file)
        ? [.. File.ReadLines(file).SelectMany(line => tokenizer.Encode(line + "\n", addSpecialTokens: false))]
        : throw new BrumaException($"{file}: no such file; give a plain text.");

    private static (Module Network, ILanguageModel Model) Open(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        using var config = PythonJson.ParseFile(path);
        var type = config.RootElement.TryGetProperty("model_type", out var name) ? name.GetString() : null;
        Module network = type switch
        {
            "gpt2" => Gpt2LmHeadModel.Load(folder),
            "llama" => LlamaForCausalLm.Load(folder),
            _ => throw new BrumaException($"{path}: \"model_type\" is \"{type}\"; {FinetuneTasks.LanguageModel} needs a model that predicts the next word: gpt2 or llama."),
        };
        return (network, (ILanguageModel)network);
    }
}
