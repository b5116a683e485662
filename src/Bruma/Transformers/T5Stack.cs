using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>T5's encoder or decoder; checkpoint keys <c>block.N.layer.M</c>.</summary>
public sealed class T5Stack : Module
{
    private readonly ModuleList<T5Block> block = ModuleList<T5Block>();
    private readonly RmsNorm final_layer_norm;
    private readonly SeededDropout dropout;
    private readonly RelativeBuckets _buckets;

    public T5Stack(T5Config config, bool isDecoder, Device? device = null)
        : base(nameof(T5Stack))
    {
        for (var layer = 0; layer < (isDecoder ? config.NumDecoderLayers ?? config.NumLayers : config.NumLayers); layer++)
            block.Add(new T5Block(config, isDecoder, hasTable: layer == 0, device));
        final_layer_norm = new RmsNorm(config.DModel, config.LayerNormEpsilon, device);
        dropout = new SeededDropout(config.DropoutRate);
        _buckets = new RelativeBuckets(config.RelativeAttentionNumBuckets, config.RelativeAttentionMaxDistance, !isDecoder);
        RegisterComponents();
    }

    /// <summary>Runs within the caller's scope, whose embedded tokens are part of the result.</summary>
    internal TransformerOutput Encode(Tensor embedded, Tensor? mask, bool keepWeights)
    {
        var bias = Bias(embedded, mask, past: 0, causal: false);
        var (x, states, attentions) = (dropout.call(embedded), new List<Tensor> { embedded }, new List<Tensor>());
        foreach (var layer in block)
        {
            (x, var weights, _) = layer.call(x, new T5Call(new AttentionCall(bias, KeepWeights: keepWeights), null));
            states.Add(x);
            if (weights is not null)
                attentions.Add(weights);
        }
        return new TransformerOutput(dropout.call(final_layer_norm.call(x)), null, states, attentions);
    }

    internal DecoderOutput Decode(Tensor embedded, DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        var past = pass.Cache?.Length ?? 0;
        var bias = Bias(embedded, pass.Mask, past, causal: true);
        var crossBias = AttentionBias.Create(pass.ContextMask, (embedded.shape[1], pass.Context.shape[1]), causal: false, embedded.dtype, embedded.device);
        var (x, attentions, crossAttentions, index) = (dropout.call(embedded), new List<Tensor>(), new List<Tensor>(), 0);
        foreach (var layer in block)
        {
            var call = new T5Call(new AttentionCall(bias, Cache: pass.Cache?.Self(index), KeepWeights: pass.KeepWeights), new AttentionCall(crossBias, pass.Context, Cache: pass.Cache?.Cross(index), KeepWeights: pass.KeepWeights));
            (x, var weights, var crossWeights) = layer.call(x, call);
            if (weights is not null)
                attentions.Add(weights);
            if (crossWeights is not null)
                crossAttentions.Add(crossWeights);
            index++;
        }
        return new DecoderOutput(dropout.call(final_layer_norm.call(x)), attentions, crossAttentions).MoveToOuterDisposeScope();
    }

    /// <summary>Relative positions and masks: the first layer's table serves all.</summary>
    private Tensor Bias(Tensor x, Tensor? mask, long past, bool causal)
    {
        var (queries, keys) = (x.shape[1], past + x.shape[1]);
        var positions = block[0].RelativePositions(_buckets.Of(queries, keys, past, x.device)); // [1, N, Tq, Tk]
        var masked = AttentionBias.Create(mask, (queries, keys), causal, x.dtype, x.device);
        return masked is null ? positions : positions + masked;
    }
}

/// <summary>What a layer's two attentions are called with; without a cross call in the encoder.</summary>
public readonly record struct T5Call(AttentionCall Self, AttentionCall? Cross);

/// <summary>Self-attention, in decoders cross-attention, and feed-forward.</summary>
public sealed class T5Block : Module<Tensor, T5Call, (Tensor Hidden, Tensor? Weights, Tensor? CrossWeights)>
{
    private readonly ModuleList<Module> layer = ModuleList<Module>();
    private readonly T5AttentionLayer _self;
    private readonly T5AttentionLayer? _cross;
    private readonly T5FeedForwardLayer _feedForward;

    /// <param name="hasTable">Whether the block holds the table of relative positions.</param>
    public T5Block(T5Config config, bool isDecoder, bool hasTable, Device? device = null)
        : base(nameof(T5Block))
    {
        layer.Add(_self = new T5AttentionLayer(config, "SelfAttention", hasTable, device));
        if (isDecoder)
            layer.Add(_cross = new T5AttentionLayer(config, "EncDecAttention", hasTable: false, device));
        layer.Add(_feedForward = new T5FeedForwardLayer(config, device));
        register_module(nameof(layer), layer);
    }

    public override (Tensor Hidden, Tensor? Weights, Tensor? CrossWeights) forward(Tensor x, T5Call call)
    {
        using var scope = NewDisposeScope();
        (x, var weights) = _self.call(x, call.Self);
        Tensor? crossWeights = null;
        if (_cross is not null)
            (x, crossWeights) = _cross.call(x, call.Cross!.Value);
        return (_feedForward.call(x).MoveToOuterDisposeScope(), weights?.MoveToOuterDisposeScope(), crossWeights?.MoveToOuterDisposeScope());
    }

    /// <param name="buckets">[Tq, Tk].</param>
    /// <returns>[1, N, Tq, Tk].</returns>
    internal Tensor RelativePositions(Tensor buckets) => _self.RelativePositions(buckets);
}

/// <summary>Attention behind a norm, within a residual; its scores are not scaled.</summary>
public sealed class T5AttentionLayer : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly MultiHeadAttention _attention;
    private readonly RmsNorm _norm;
    private readonly SeededDropout _dropout;
    private readonly Embedding? _table;

    public T5AttentionLayer(T5Config config, string key, bool hasTable, Device? device = null)
        : base(nameof(T5AttentionLayer))
    {
        _attention = new MultiHeadAttention(
            new AttentionPlan(config.DModel, config.NumHeads, config.DKv, Bias: false, OutputBias: false, Scale: 1, Dropout: config.DropoutRate),
            new ProjectionKeys("q", "k", "v", "o"),
            device);
        if (hasTable)
            _attention.register_module("relative_attention_bias", _table = Embedding(config.RelativeAttentionNumBuckets, config.NumHeads, device: device));
        register_module(key, _attention);
        register_module("layer_norm", _norm = new RmsNorm(config.DModel, config.LayerNormEpsilon, device));
        register_module("dropout", _dropout = new SeededDropout(config.DropoutRate));
    }

    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = _attention.call(_norm.call(x), call);
        return new AttentionResult(x + _dropout.call(mixed), weights).MoveToOuterDisposeScope();
    }

    internal Tensor RelativePositions(Tensor buckets) => _table!.call(buckets).permute(2, 0, 1).unsqueeze(0);
}

/// <summary>Feed-forward behind a norm, within a residual; checkpoint key <c>DenseReluDense</c>.</summary>
public sealed class T5FeedForwardLayer : Module<Tensor, Tensor>
{
    private readonly TokenFeedForward DenseReluDense;
    private readonly RmsNorm layer_norm;
    private readonly SeededDropout dropout;

    public T5FeedForwardLayer(T5Config config, Device? device = null)
        : base(nameof(T5FeedForwardLayer))
    {
        var keys = config.IsGated ? new FeedForwardKeys("wi_1", "wo", "wi_0") : new FeedForwardKeys("wi", "wo");
        DenseReluDense = new TokenFeedForward((config.DModel, config.DFf), config.ActivationName, keys, bias: false, config.DropoutRate, device);
        layer_norm = new RmsNorm(config.DModel, config.LayerNormEpsilon, device);
        dropout = new SeededDropout(config.DropoutRate);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return (x + dropout.call(DenseReluDense.call(layer_norm.call(x)))).MoveToOuterDisposeScope();
    }
}
