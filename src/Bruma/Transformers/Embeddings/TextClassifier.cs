using System.Text.Json;
using System.Text.Json.Nodes;
using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers.Embeddings;

/// <summary>A BERT with a linear classifier on one vector per text, pooled as the model was trained for.</summary>
/// <remarks>Keys of <c>BertForSequenceClassification</c>; with <see cref="Pooling.Pooler"/> it is one, and saved as one.</remarks>
public sealed class TextClassifier : Module<Tensor, TextPass, Tensor>
{
    /// <summary>What <c>architectures</c> of a saved config says unless the pooler makes the vector.</summary>
    public const string ClassName = "BertTextClassifier";

    private const string PoolingKey = "classifier_pooling";
    private const string PoolerClass = "BertForSequenceClassification";

    private readonly BertModel bert;
    private readonly Linear classifier;
    private readonly SeededDropout dropout;

    /// <param name="encoder">Belongs to the classifier from here on.</param>
    /// <exception cref="BrumaException">The encoder has no pooler although it is asked for.</exception>
    public TextClassifier(BertModel encoder, int classes, Pooling pooling, double? dropoutProbability = null) : base(nameof(TextClassifier))
    {
        if (pooling == Pooling.Pooler && !encoder.HasPooler)
            throw new BrumaException("--pooling pooler: the checkpoint has no pooler (\"pooler.dense.weight\"); choose mean, first or max.");
        (bert, PoolingMode) = (encoder, pooling);
        classifier = Linear(encoder.Config.HiddenSize, classes);
        dropout = new SeededDropout(dropoutProbability ?? encoder.Config.ClassifierDropout ?? encoder.Config.HiddenDropoutProb);
        RegisterComponents();
    }

    public Pooling PoolingMode { get; }

    public BertModel Encoder => bert;

    public Linear Classifier => classifier;

    /// <summary>Loads a folder that <see cref="Save"/> wrote, or a BERT for sequence classification of transformers; fp32, in evaluation mode.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static TextClassifier Load(string folder)
    {
        var config = BertModel.ReadConfig(folder);
        var network = new TextClassifier(new BertModel(config), config.Classes, ReadPooling(folder));
        return TransformerFiles.Load(network, folder, null, BaseWeights.Legacy);
    }

    /// <param name="inputIds">[B, T].</param>
    /// <returns>Logits, [B, K].</returns>
    public override Tensor forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        return Classify(Features(inputIds, pass)).MoveToOuterDisposeScope();
    }

    /// <summary>The pooled vector before dropout and classifier.</summary>
    /// <returns>[B, D].</returns>
    public Tensor Features(Tensor inputIds, TextPass pass)
    {
        using var scope = NewDisposeScope();
        var output = bert.call(inputIds, pass);
        return (PoolingMode == Pooling.Pooler ? output.Pooled! : SentencePooling.Of(output.LastHiddenState, pass.Mask ?? ones_like(inputIds), PoolingMode)).MoveToOuterDisposeScope();
    }

    /// <param name="features">[B, D].</param>
    /// <returns>Logits, [B, K].</returns>
    public Tensor Classify(Tensor features)
    {
        using var scope = NewDisposeScope();
        return classifier.call(dropout.call(features.to(classifier.weight.dtype))).MoveToOuterDisposeScope();
    }

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="baseFolder">Of the encoder's own config, whose other keys are kept.</param>
    /// <param name="labels">Names of the classes in order.</param>
    public void Save(string folder, string baseFolder, IReadOnlyList<string> labels)
    {
        Directory.CreateDirectory(folder);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(baseFolder, "config.json")))!.AsObject();
        config["architectures"] = new JsonArray(PoolingMode == Pooling.Pooler ? PoolerClass : ClassName);
        config["id2label"] = new JsonObject(labels.Select((label, i) => KeyValuePair.Create($"{i}", (JsonNode?)label)));
        config["label2id"] = new JsonObject(labels.Select((label, i) => KeyValuePair.Create(label, (JsonNode?)i)));
        config["problem_type"] = "single_label_classification";
        config.Remove("num_labels");
        if (PoolingMode != Pooling.Pooler)
            config[PoolingKey] = PoolingMode switch { Pooling.FirstToken => "first", Pooling.Max => "max", _ => "mean" };
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), config.ToJsonString(Indented) + "\n");
        ModuleWeights.Save(this, Path.Combine(folder, "model.safetensors"));
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static Pooling ReadPooling(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        using var json = PythonJson.ParseFile(path);
        return json.RootElement.TryGetProperty(PoolingKey, out var pooling) ? SentencePooling.Named(pooling.GetString() ?? "", $"{path}: \"{PoolingKey}\"") : Pooling.Pooler;
    }
}
