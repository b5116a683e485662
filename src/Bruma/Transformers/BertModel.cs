using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>BERT, with the config keys and checkpoint keys of transformers.</summary>
/// <remarks>Devlin et al. 2019, arXiv:1810.04805.</remarks>
public sealed class BertModel : Module<Tensor, TextPass, TransformerOutput>
{
    private readonly BertEmbeddings embeddings;
    private readonly BertEncoder encoder;
    private readonly ActivatedLinear? pooler;

    /// <param name="hasPooler">Whether the first token's state is pooled; checkpoints of language models lack that layer.</param>
    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public BertModel(BertConfig config, bool hasPooler = true, Device? device = null)
        : base(nameof(BertModel))
    {
        config.Check(new ConfigCheck(nameof(BertModel)));
        Config = config;
        embeddings = new BertEmbeddings(config, device);
        encoder = new BertEncoder(config, device);
        pooler = hasPooler ? new ActivatedLinear(config.HiddenSize, config.HiddenSize, "tanh", device) : null;
        RegisterComponents();
    }

    public BertConfig Config { get; }

    public bool HasPooler => pooler is not null;

    /// <summary>Whether training keeps only what goes into each layer and computes the rest again (see <see cref="Checkpoint"/>).</summary>
    public bool IsCheckpointed
    {
        get => encoder.IsCheckpointed;
        set => encoder.IsCheckpointed = value;
    }

    /// <summary>Loads a folder with <c>config.json</c> and the weights beside it, also of a BERT with a head; the weights become fp32.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static BertModel Load(string folder, string? variant = null) => TransformerFiles.Load(
        weights => new BertModel(ReadConfig(folder), weights.Tensors.Keys.Any(name => name.EndsWith("pooler.dense.weight", StringComparison.Ordinal))), folder, variant, BaseWeights.Of("bert.", "cls.", "classifier."));

    /// <param name="inputIds">[B, T].</param>
    /// <returns>The last layer's states and, of the first token, the pooled one.</returns>
    public override TransformerOutput forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        var x = embeddings.call(inputIds, pass);
        var output = encoder.Run(x, pass.Attention(x, causal: false));
        return (output with { Pooled = pooler?.call(output.LastHiddenState.select(1, 0)) }).MoveToOuterDisposeScope();
    }

    internal static BertConfig ReadConfig(string folder) =>
        TransformerConfigs.Read(folder, TransformerConfigs.Default.BertConfig, "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type", "hidden_dropout", "attention_dropout", "classifier_pooling");
}

/// <summary>The layers; checkpoint keys <c>layer.N</c>.</summary>
public sealed class BertEncoder : Module
{
    private readonly ModuleList<BertLayer> layer = ModuleList<BertLayer>();

    public BertEncoder(BertConfig config, Device? device = null)
        : base(nameof(BertEncoder))
    {
        for (var i = 0; i < config.NumHiddenLayers; i++)
            layer.Add(new BertLayer(config, device));
        RegisterComponents();
    }

    internal bool IsCheckpointed { get; set; }

    internal TransformerOutput Run(Tensor x, AttentionCall call) => LayerStack.Run(layer, x, call, checkpointed: IsCheckpointed);
}

/// <summary>BERT with a linear classifier on the pooled state.</summary>
public sealed class BertForSequenceClassification : Module<Tensor, TextPass, ClassifierOutput>
{
    private readonly BertModel bert;
    private readonly Linear classifier;
    private readonly SeededDropout dropout;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public BertForSequenceClassification(BertConfig config, Device? device = null)
        : base(nameof(BertForSequenceClassification))
    {
        bert = new BertModel(config, device: device);
        classifier = Linear(config.HiddenSize, config.Classes, device: device);
        dropout = new SeededDropout(config.ClassifierDropout ?? config.HiddenDropoutProb);
        RegisterComponents();
    }

    public BertConfig Config => bert.Config;

    /// <inheritdoc cref="BertModel.Load"/>
    public static BertForSequenceClassification Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new BertForSequenceClassification(BertModel.ReadConfig(folder)), folder, variant, BaseWeights.Legacy);

    /// <param name="inputIds">[B, T].</param>
    public override ClassifierOutput forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        var output = bert.call(inputIds, pass);
        return new ClassifierOutput(classifier.call(dropout.call(output.Pooled!)), output.HiddenStates, output.Attentions).MoveToOuterDisposeScope();
    }
}
