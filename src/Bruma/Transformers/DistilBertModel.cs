using System.Text.Json;
using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>The config of transformers' DistilBERT, with its keys and defaults.</summary>
public sealed record DistilBertConfig(
    int VocabSize = 30522,
    int MaxPositionEmbeddings = 512,
    bool SinusoidalPosEmbds = false,
    int NLayers = 6,
    int NHeads = 12,
    int Dim = 768,
    int HiddenDim = 3072,
    double Dropout = 0.1,
    double AttentionDropout = 0.1,
    string Activation = "gelu",
    double SeqClassifDropout = 0.2,
    int? PadTokenId = 0,
    string? ProblemType = null,
    int? NumLabels = null,
    IReadOnlyDictionary<string, JsonElement>? Id2label = null) : ICheckedConfig
{
    /// <summary>K.</summary>
    public int Classes => Classification.Classes(Id2label, NumLabels);

    public void Check(ConfigCheck check)
    {
        check.OneOf("activation", Activation, Nn.Activation.TransformerNames);
        Classification.Check(check, ProblemType);
        check.Require(NHeads > 0, "n_heads", NHeads, "a number above 0");
        check.Require(Dim > 0 && Dim % NHeads == 0, "dim", Dim, $"a multiple of \"n_heads\", {NHeads}");
        check.Require(PadTokenId is null || PadTokenId >= 0 && PadTokenId < VocabSize, "pad_token_id", PadTokenId, $"an id below \"vocab_size\", {VocabSize}");
        check.Require(Dropout is >= 0 and < 1, "dropout", Dropout, "a probability from 0 to below 1");
        check.Require(AttentionDropout is >= 0 and < 1, "attention_dropout", AttentionDropout, "a probability from 0 to below 1");
    }
}

/// <summary>DistilBERT, with the config keys and checkpoint keys of transformers.</summary>
/// <remarks>Sanh et al. 2019, arXiv:1910.01108: BERT without text types and pooling, at half the depth.</remarks>
public sealed class DistilBertModel : Module<Tensor, TextPass, TransformerOutput>
{
    private readonly DistilBertEmbeddings embeddings;
    private readonly DistilBertLayers transformer;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public DistilBertModel(DistilBertConfig config, Device? device = null)
        : base(nameof(DistilBertModel))
    {
        config.Check(new ConfigCheck(nameof(DistilBertModel)));
        Config = config;
        embeddings = new DistilBertEmbeddings(config, device);
        transformer = new DistilBertLayers(config, device);
        RegisterComponents();
    }

    public DistilBertConfig Config { get; }

    /// <inheritdoc cref="BertModel.Load"/>
    public static DistilBertModel Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new DistilBertModel(ReadConfig(folder)), folder, variant, BaseWeights.Of("distilbert.", "vocab_", "pre_classifier.", "classifier.", "qa_outputs."));

    /// <param name="inputIds">[B, T].</param>
    public override TransformerOutput forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        var x = embeddings.call(inputIds);
        return transformer.Run(x, pass.Attention(x, causal: false)).MoveToOuterDisposeScope();
    }

    internal static DistilBertConfig ReadConfig(string folder) => TransformerConfigs.Read(folder, TransformerConfigs.Default.DistilBertConfig, "qa_dropout", "tie_weights_");
}

/// <summary>DistilBERT with a classifier of two layers on the first token's state.</summary>
public sealed class DistilBertForSequenceClassification : Module<Tensor, TextPass, ClassifierOutput>
{
    private readonly DistilBertModel distilbert;
    private readonly Linear pre_classifier;
    private readonly Linear classifier;
    private readonly SeededDropout dropout;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public DistilBertForSequenceClassification(DistilBertConfig config, Device? device = null)
        : base(nameof(DistilBertForSequenceClassification))
    {
        distilbert = new DistilBertModel(config, device);
        pre_classifier = Linear(config.Dim, config.Dim, device: device);
        classifier = Linear(config.Dim, config.Classes, device: device);
        dropout = new SeededDropout(config.SeqClassifDropout);
        RegisterComponents();
    }

    public DistilBertConfig Config => distilbert.Config;

    /// <inheritdoc cref="BertModel.Load"/>
    public static DistilBertForSequenceClassification Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new DistilBertForSequenceClassification(DistilBertModel.ReadConfig(folder)), folder, variant, BaseWeights.Legacy);

    /// <param name="inputIds">[B, T].</param>
    public override ClassifierOutput forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        var output = distilbert.call(inputIds, pass);
        var first = functional.relu(pre_classifier.call(output.LastHiddenState.select(1, 0)));
        return new ClassifierOutput(classifier.call(dropout.call(first)), output.HiddenStates, output.Attentions).MoveToOuterDisposeScope();
    }
}

/// <summary>Tokens and positions, normalised.</summary>
public sealed class DistilBertEmbeddings : Module<Tensor, Tensor>
{
    internal const double Eps = 1e-12;

    private readonly Embedding word_embeddings;
    private readonly Embedding position_embeddings;
    private readonly LayerNorm LayerNorm;
    private readonly SeededDropout dropout;

    public DistilBertEmbeddings(DistilBertConfig config, Device? device = null)
        : base(nameof(DistilBertEmbeddings))
    {
        word_embeddings = Embedding(config.VocabSize, config.Dim, config.PadTokenId, device: device);
        position_embeddings = Embedding(config.MaxPositionEmbeddings, config.Dim, device: device);
        LayerNorm = nn.LayerNorm(config.Dim, Eps, device: device);
        dropout = new SeededDropout(config.Dropout);
        RegisterComponents();
    }

    /// <param name="inputIds">[B, T].</param>
    public override Tensor forward(Tensor inputIds)
    {
        using var scope = NewDisposeScope();
        PositionLimit.Require(inputIds.shape[1], position_embeddings.weight!.shape[0]);
        var x = word_embeddings.call(inputIds) + position_embeddings.weight[..(int)inputIds.shape[1]];
        return dropout.call(LayerNorm.call(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>The layers; checkpoint keys <c>layer.N</c>.</summary>
public sealed class DistilBertLayers : Module
{
    private readonly ModuleList<DistilBertLayer> layer = ModuleList<DistilBertLayer>();

    public DistilBertLayers(DistilBertConfig config, Device? device = null)
        : base(nameof(DistilBertLayers))
    {
        for (var i = 0; i < config.NLayers; i++)
            layer.Add(new DistilBertLayer(config, device));
        RegisterComponents();
    }

    internal TransformerOutput Run(Tensor x, AttentionCall call) => LayerStack.Run(layer, x, call);
}

/// <summary>Attention, then feed-forward; the norm is behind each residual.</summary>
public sealed class DistilBertLayer : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly MultiHeadAttention attention;
    private readonly LayerNorm sa_layer_norm;
    private readonly TokenFeedForward ffn;
    private readonly LayerNorm output_layer_norm;
    private readonly SeededDropout dropout;

    public DistilBertLayer(DistilBertConfig config, Device? device = null)
        : base(nameof(DistilBertLayer))
    {
        attention = new MultiHeadAttention(
            new AttentionPlan(config.Dim, config.NHeads, Dropout: config.AttentionDropout),
            new ProjectionKeys("q_lin", "k_lin", "v_lin", "out_lin"),
            device);
        sa_layer_norm = LayerNorm(config.Dim, DistilBertEmbeddings.Eps, device: device);
        ffn = new TokenFeedForward((config.Dim, config.HiddenDim), config.Activation, new FeedForwardKeys("lin1", "lin2"), device: device);
        output_layer_norm = LayerNorm(config.Dim, DistilBertEmbeddings.Eps, device: device);
        dropout = new SeededDropout(config.Dropout);
        RegisterComponents();
    }

    /// <param name="x">[B, T, D].</param>
    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = attention.call(x, call);
        var h = sa_layer_norm.call(mixed + x);
        h = output_layer_norm.call(dropout.call(ffn.call(h)) + h);
        return new AttentionResult(h, weights).MoveToOuterDisposeScope();
    }
}
