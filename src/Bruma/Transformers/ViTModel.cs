using System.Text.Json;
using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>The config of transformers' vision transformer, with its keys and defaults.</summary>
public sealed record ViTConfig(
    int HiddenSize = 768,
    int NumHiddenLayers = 12,
    int NumAttentionHeads = 12,
    int IntermediateSize = 3072,
    string HiddenAct = "gelu",
    double HiddenDropoutProb = 0,
    double AttentionProbsDropoutProb = 0,
    double LayerNormEps = 1e-12,
    int ImageSize = 224,
    int PatchSize = 16,
    int NumChannels = 3,
    bool QkvBias = true,
    int? PoolerOutputSize = null,
    string PoolerAct = "tanh",
    string? ProblemType = null,
    int? NumLabels = null,
    IReadOnlyDictionary<string, JsonElement>? Id2label = null) : ICheckedConfig
{
    /// <summary>K.</summary>
    public int Classes => Classification.Classes(Id2label, NumLabels);

    public void Check(ConfigCheck check)
    {
        check.OneOf("hidden_act", HiddenAct, Activation.TransformerNames);
        check.OneOf("pooler_act", PoolerAct, Activation.TransformerNames);
        Classification.Check(check, ProblemType);
        check.Require(NumAttentionHeads > 0, "num_attention_heads", NumAttentionHeads, "a number above 0");
        check.Require(HiddenSize > 0 && HiddenSize % NumAttentionHeads == 0, "hidden_size", HiddenSize, $"a multiple of \"num_attention_heads\", {NumAttentionHeads}");
        check.Require(PatchSize > 0, "patch_size", PatchSize, "a number above 0");
        check.Require(ImageSize >= PatchSize, "image_size", ImageSize, $"at least \"patch_size\", {PatchSize}");
        check.Require(HiddenDropoutProb is >= 0 and < 1, "hidden_dropout_prob", HiddenDropoutProb, "a probability from 0 to below 1");
        check.Require(AttentionProbsDropoutProb is >= 0 and < 1, "attention_probs_dropout_prob", AttentionProbsDropoutProb, "a probability from 0 to below 1");
    }
}

/// <summary>The vision transformer, with the config keys and checkpoint keys of transformers.</summary>
/// <remarks>Dosovitskiy et al. 2021, arXiv:2010.11929.</remarks>
public sealed class ViTModel : Module<Tensor, bool, TransformerOutput>
{
    private readonly ViTEmbeddings embeddings;
    private readonly ViTEncoder encoder;
    private readonly LayerNorm layernorm;
    private readonly ActivatedLinear? pooler;

    /// <param name="hasPooler">Whether the first vector is pooled; classifiers do without.</param>
    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public ViTModel(ViTConfig config, bool hasPooler = true, Device? device = null)
        : base(nameof(ViTModel))
    {
        config.Check(new ConfigCheck(nameof(ViTModel)));
        Config = config;
        embeddings = new ViTEmbeddings(config, device);
        encoder = new ViTEncoder(config, device);
        layernorm = LayerNorm(config.HiddenSize, config.LayerNormEps, device: device);
        pooler = hasPooler ? new ActivatedLinear(config.HiddenSize, config.PoolerOutputSize ?? config.HiddenSize, config.PoolerAct, device) : null;
        RegisterComponents();
    }

    public ViTConfig Config { get; }

    /// <inheritdoc cref="BertModel.Load"/>
    public static ViTModel Load(string folder, string? variant = null) => TransformerFiles.Load(
        weights => new ViTModel(ReadConfig(folder), weights.Tensors.Keys.Any(name => name.EndsWith("pooler.dense.weight", StringComparison.Ordinal))), folder, variant, BaseWeights.Of("vit.", "classifier."));

    /// <param name="pixels">Pictures of the config's size, [B, 3, H, W].</param>
    /// <param name="keepWeights">Whether the output holds the attention weights.</param>
    /// <returns>The last hidden state after the final norm, first the vector of the whole picture.</returns>
    public override TransformerOutput forward(Tensor pixels, bool keepWeights = false)
    {
        using var scope = NewDisposeScope();
        var output = encoder.Run(embeddings.call(pixels), new AttentionCall(KeepWeights: keepWeights));
        var last = layernorm.call(output.LastHiddenState);
        return (output with { LastHiddenState = last, Pooled = pooler?.call(last.select(1, 0)) }).MoveToOuterDisposeScope();
    }

    internal static ViTConfig ReadConfig(string folder) => TransformerConfigs.Read(folder, TransformerConfigs.Default.ViTConfig, "encoder_stride");
}

/// <summary>The vision transformer with a linear classifier on the vector of the whole picture.</summary>
public sealed class ViTForImageClassification : Module<Tensor, bool, ClassifierOutput>
{
    private readonly ViTModel vit;
    private readonly Linear classifier;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public ViTForImageClassification(ViTConfig config, Device? device = null)
        : base(nameof(ViTForImageClassification))
    {
        vit = new ViTModel(config, hasPooler: false, device);
        classifier = Linear(config.HiddenSize, config.Classes, device: device);
        RegisterComponents();
    }

    public ViTConfig Config => vit.Config;

    public ViTModel Encoder => vit;

    public Linear Classifier => classifier;

    /// <inheritdoc cref="BertModel.Load"/>
    public static ViTForImageClassification Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new ViTForImageClassification(ViTModel.ReadConfig(folder)), folder, variant);

    /// <summary>The vector of the whole picture, which the classifier gets.</summary>
    /// <param name="pixels">[B, 3, H, W].</param>
    /// <returns>[B, D].</returns>
    public Tensor Features(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return vit.call(pixels, false).LastHiddenState.select(1, 0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="ViTModel.forward"/>
    public override ClassifierOutput forward(Tensor pixels, bool keepWeights = false)
    {
        using var scope = NewDisposeScope();
        var output = vit.call(pixels, keepWeights);
        return new ClassifierOutput(classifier.call(output.LastHiddenState.select(1, 0)), output.HiddenStates, output.Attentions).MoveToOuterDisposeScope();
    }
}

/// <summary>Patches as vectors behind the vector of the whole picture, plus positions.</summary>
public sealed class ViTEmbeddings : Module<Tensor, Tensor>
{
    private readonly Parameter cls_token;
    private readonly Parameter position_embeddings;
    private readonly PatchProjection patch_embeddings;
    private readonly SeededDropout dropout;
    private readonly int _size;

    public ViTEmbeddings(ViTConfig config, Device? device = null)
        : base(nameof(ViTEmbeddings))
    {
        var side = config.ImageSize / config.PatchSize;
        cls_token = Parameter(zeros(1, 1, config.HiddenSize, device: device));
        position_embeddings = Parameter(zeros(1, side * side + 1, config.HiddenSize, device: device));
        patch_embeddings = new PatchProjection(config, device);
        dropout = new SeededDropout(config.HiddenDropoutProb);
        _size = config.ImageSize;
        RegisterComponents();
    }

    /// <param name="pixels">[B, 3, H, W].</param>
    /// <returns>[B, 1 + patches, D].</returns>
    public override Tensor forward(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        if (pixels.dim() != 4 || pixels.shape[2] != _size || pixels.shape[3] != _size)
            throw new BrumaException($"The pictures are [{string.Join(", ", pixels.shape)}] but the network sees {_size} x {_size} pixels; resize and crop them first.");
        var patches = patch_embeddings.call(pixels.to(cls_token.dtype));
        var x = cat([cls_token.expand(patches.shape[0], -1, -1), patches], 1) + position_embeddings;
        return dropout.call(x).MoveToOuterDisposeScope();
    }
}

/// <summary>A convolution whose kernel is a patch; checkpoint key <c>projection</c>.</summary>
public sealed class PatchProjection : Module<Tensor, Tensor>
{
    private readonly Conv2d projection;

    public PatchProjection(ViTConfig config, Device? device = null)
        : base(nameof(PatchProjection))
    {
        projection = Conv2d(config.NumChannels, config.HiddenSize, config.PatchSize, config.PatchSize, device: device);
        RegisterComponents();
    }

    /// <returns>[B, patches, D].</returns>
    public override Tensor forward(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return projection.call(pixels).flatten(2).transpose(1, 2).MoveToOuterDisposeScope();
    }
}

/// <summary>The layers; checkpoint keys <c>layer.N</c>.</summary>
public sealed class ViTEncoder : Module
{
    private readonly ModuleList<ViTLayer> layer = ModuleList<ViTLayer>();

    public ViTEncoder(ViTConfig config, Device? device = null)
        : base(nameof(ViTEncoder))
    {
        for (var i = 0; i < config.NumHiddenLayers; i++)
            layer.Add(new ViTLayer(config, device));
        RegisterComponents();
    }

    internal TransformerOutput Run(Tensor x, AttentionCall call) => LayerStack.Run(layer, x, call);
}

/// <summary>Attention and feed-forward, each behind a norm and within a residual.</summary>
public sealed class ViTLayer : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly ViTAttention attention;
    private readonly ActivatedLinear intermediate;
    private readonly NamedLinear output;
    private readonly LayerNorm layernorm_before;
    private readonly LayerNorm layernorm_after;

    public ViTLayer(ViTConfig config, Device? device = null)
        : base(nameof(ViTLayer))
    {
        attention = new ViTAttention(config, device);
        intermediate = new ActivatedLinear(config.HiddenSize, config.IntermediateSize, config.HiddenAct, device);
        output = new NamedLinear(config.IntermediateSize, config.HiddenSize, config.HiddenDropoutProb, device);
        layernorm_before = LayerNorm(config.HiddenSize, config.LayerNormEps, device: device);
        layernorm_after = LayerNorm(config.HiddenSize, config.LayerNormEps, device: device);
        RegisterComponents();
    }

    /// <param name="x">[B, T, D].</param>
    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = attention.call(layernorm_before.call(x), call);
        var h = x + mixed;
        h = h + output.call(intermediate.call(layernorm_after.call(h)));
        return new AttentionResult(h, weights).MoveToOuterDisposeScope();
    }
}

/// <summary>Checkpoint keys <c>attention</c> and <c>output</c>.</summary>
public sealed class ViTAttention : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly MultiHeadAttention attention;
    private readonly NamedLinear output;

    public ViTAttention(ViTConfig config, Device? device = null)
        : base(nameof(ViTAttention))
    {
        attention = new MultiHeadAttention(
            new AttentionPlan(config.HiddenSize, config.NumAttentionHeads, Bias: config.QkvBias, Dropout: config.AttentionProbsDropoutProb),
            new ProjectionKeys("query", "key", "value", null),
            device);
        output = new NamedLinear(config.HiddenSize, config.HiddenSize, config.HiddenDropoutProb, device);
        RegisterComponents();
    }

    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = attention.call(x, call);
        return new AttentionResult(output.call(mixed), weights).MoveToOuterDisposeScope();
    }
}

/// <summary>A linear layer and dropout; checkpoint key <c>dense</c>.</summary>
public sealed class NamedLinear : Module<Tensor, Tensor>
{
    private readonly Linear dense;
    private readonly SeededDropout dropout;

    public NamedLinear(long inputs, long outputs, double dropoutProbability, Device? device = null)
        : base(nameof(NamedLinear))
    {
        dense = Linear(inputs, outputs, device: device);
        dropout = new SeededDropout(dropoutProbability);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return dropout.call(dense.call(x)).MoveToOuterDisposeScope();
    }
}
