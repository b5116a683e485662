using Bruma.Nn;
using Bruma.Training;
using Bruma.Transformers.Embeddings;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Bruma.Recipes.Finetuning;

/// <summary>Adaptation to classes: vectors of a pretrained network, and a linear head on them.</summary>
internal abstract class ClassificationTask : FinetuneTask
{
    private const int EvaluationBatch = 64;

    private readonly Dictionary<Split, Tensor> _vectors = [];
    private Tensor? _classWeights;

    protected ClassificationTask(LabelledSplits data, FinetuneOptions options)
    {
        (Data, Options) = (data, options);
        if (options.ClassWeights == "balanced")
            _classWeights = tensor(data.BalancedWeights().Select(weight => (float)weight).ToArray()).DetachFromDisposeScope();
    }

    /// <summary>Whether batches hold the frozen network's vectors, computed once, instead of what goes into it.</summary>
    public bool UsesVectors { get; set; }

    /// <summary>Vectors that other runs on the same examples and network have computed; by default this run's own.</summary>
    public FrozenVectors Known { get; set; } = new();

    public LabelledSplits Data { get; }

    protected FinetuneOptions Options { get; }

    protected abstract Linear Classifier { get; }

    /// <summary>What goes into the network.</summary>
    protected abstract TaskBatch Inputs(IReadOnlyList<int> examples, Split split);

    /// <returns>[B, D].</returns>
    protected abstract Tensor Features(TaskBatch batch);

    /// <returns>[B, K].</returns>
    protected abstract Tensor Classify(Tensor features);

    /// <summary>Writes the network without labels and card.</summary>
    protected abstract void SaveNetwork(string folder);

    /// <summary>An example as people recognise it: its text, or its file.</summary>
    public abstract string Show(int example);

    /// <summary>An example as a picture file for the report; null for texts.</summary>
    public virtual string? Picture(int example) => null;

    public override int Count(Split split) => Data.Of(split).Count;

    public override TaskBatch Batch(Split split, IReadOnlyList<int> indices)
    {
        var examples = Data.Of(split);
        if (!UsesVectors)
            return Inputs([.. indices.Select(index => examples[index])], split);
        using var rows = tensor(indices.Select(index => (long)index).ToArray());
        return new TaskBatch(Vectors(split).index_select(0, rows), Labels([.. indices.Select(index => examples[index])]), null, null, indices.Count);
    }

    public override Tensor Loss(TaskBatch batch)
    {
        using var scope = NewDisposeScope();
        StillNorms(Network);
        var logits = Classify(UsesVectors ? batch.Inputs : Features(batch)).to(float32);
        return nn.functional.cross_entropy(logits, batch.Labels, _classWeights).MoveToOuterDisposeScope();
    }

    /// <summary>Probabilities of a split's examples.</summary>
    public IReadOnlyList<double[]> Predict(Split split)
    {
        using var still = no_grad();
        var (was, rows) = (Network.training, new List<double[]>());
        Network.eval();
        foreach (var indices in Enumerable.Range(0, Count(split)).Chunk(EvaluationBatch))
        {
            using var scope = NewDisposeScope();
            using var batch = Batch(split, indices);
            var probabilities = Classify(UsesVectors ? batch.Inputs : Features(batch)).to(float64).softmax(1);
            var values = probabilities.data<double>().ToArray();
            rows.AddRange(values.Chunk(Data.Classes.Count));
        }
        Network.train(was);
        return rows;
    }

    public ClassificationScores Scores(Split split) => new(Data.Classes, [.. Data.Of(split).Select(example => Data.Labels[example])], Predict(split));

    public override Evaluation Evaluate(Split split)
    {
        var scores = Scores(split);
        return new Evaluation([new("accuracy", scores.Accuracy), new("macro_f1", scores.MacroF1), new("loss", scores.Loss)], scores.Accuracy);
    }

    /// <summary>Fits the head to its optimum on the frozen network's vectors.</summary>
    /// <returns>The mean loss over the training examples.</returns>
    public double FitHead()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var rows = TextEmbedders.Rows(Vectors(Split.Train).to(float32));
        var labels = Data.Of(Split.Train).Select(example => Data.Labels[example]).ToList();
        var weights = _classWeights?.data<float>().ToArray();
        var classWeights = weights is null ? null : Array.ConvertAll(weights, weight => (double)weight);
        var features = FeatureRows.Dense(rows);
        var fit = Options.C > 0
            ? LogisticRegression.Fit(features, labels, Data.Classes.Count, classWeights is null ? null : [.. labels.Select(label => classWeights[label])], Options.C)
            : LogisticRegression.FitBest(features, labels, Data.Classes.Count, classWeights).Model;
        var (matrix, intercepts) = fit.Parameters();
        Classifier.weight.copy_(tensor(matrix));
        Classifier.bias!.copy_(tensor(intercepts));
        return fit.Predict(features).Select((row, i) => -Math.Log(Math.Max(row[labels[i]], 1e-12))).Average();
    }

    /// <summary>The frozen network's vectors of a split, computed once.</summary>
    /// <returns>fp32 [N, D].</returns>
    public Tensor Vectors(Split split)
    {
        if (_vectors.TryGetValue(split, out var known))
            return known;
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var was = Network.training;
        Network.eval();
        var rows = Known.Of(Data.Of(split), EvaluationBatch, Frozen);
        Network.train(was);
        return _vectors[split] = tensor(rows.SelectMany(row => row).ToArray(), [rows.Count, rows.Count == 0 ? 0 : rows[0].Length]).DetachFromDisposeScope();
    }

    private float[][] Frozen(int[] examples)
    {
        using var scope = NewDisposeScope();
        return TextEmbedders.Rows(Features(Inputs(examples, Split.Test)).to(float32)); // as for a test: nothing is mirrored
    }

    public override void Check(Strategy strategy, ScalarType precision)
    {
    }

    public override void Save(string folder)
    {
        SaveNetwork(folder);
        LabelFile.Write(folder, Data.Classes);
    }

    public override IEnumerable<string> Report(string folder) => ClassificationReport.Write(folder, this);

    public override void Dispose()
    {
        foreach (var vectors in _vectors.Values)
            vectors.Dispose();
        _classWeights?.Dispose();
        base.Dispose();
    }

    protected Tensor Labels(IReadOnlyList<int> examples) => tensor(examples.Select(example => (long)Data.Labels[example]).ToArray());

    /// <summary>A fresh head: normal weights of a 50th, bias 0.</summary>
    protected static void Initialize(Linear classifier, long seed)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var random = HashedSeed.At(seed, 3);
        classifier.weight.normal_(0, 0.02, random);
        classifier.bias!.zero_();
    }
}
