using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>Self-attention and feed-forward, under the checkpoint keys of torch.nn.TransformerEncoderLayer.</summary>
public sealed class TransformerEncoderLayer : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly FusedAttention self_attn;
    private readonly Linear linear1;
    private readonly Linear linear2;
    private readonly LayerNorm norm1;
    private readonly LayerNorm norm2;
    private readonly SeededDropout dropout;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly bool _normFirst;

    public TransformerEncoderLayer(TransformerPlan plan, Device? device = null)
        : base(nameof(TransformerEncoderLayer))
    {
        self_attn = new FusedAttention(plan.Attention, device);
        linear1 = Linear(plan.DModel, plan.DimFeedforward, device: device);
        linear2 = Linear(plan.DimFeedforward, plan.DModel, device: device);
        norm1 = LayerNorm(plan.DModel, plan.LayerNormEps, device: device);
        norm2 = LayerNorm(plan.DModel, plan.LayerNormEps, device: device);
        dropout = new SeededDropout(plan.Dropout);
        (_activation, _normFirst) = (Activation.Named(plan.Activation), plan.NormFirst);
        RegisterComponents();
    }

    /// <param name="x">[B, T, D].</param>
    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = self_attn.call(_normFirst ? norm1.call(x) : x, call);
        x = Behind(norm1, x + dropout.call(mixed));
        x = Behind(norm2, x + FeedForward(_normFirst ? norm2.call(x) : x));
        return new AttentionResult(x, weights).MoveToOuterDisposeScope();
    }

    private Tensor FeedForward(Tensor x) => dropout.call(linear2.call(dropout.call(_activation(linear1.call(x)))));

    private Tensor Behind(LayerNorm norm, Tensor x) => _normFirst ? x : norm.call(x);
}

/// <summary>What a decoder layer's two attentions are called with.</summary>
public readonly record struct DecoderCall(AttentionCall Self, AttentionCall Cross);

/// <summary>What a decoder layer gives.</summary>
/// <param name="Hidden">[B, T, D].</param>
/// <param name="Weights">Among the written tokens, [B, N, T, T]; null unless asked for.</param>
/// <param name="CrossWeights">On the source, [B, N, T, S]; null unless asked for.</param>
public readonly record struct DecoderLayerResult(Tensor Hidden, Tensor? Weights, Tensor? CrossWeights);

/// <summary>Self-attention, cross-attention and feed-forward, under the checkpoint keys of torch.nn.TransformerDecoderLayer.</summary>
public sealed class TransformerDecoderLayer : Module<Tensor, DecoderCall, DecoderLayerResult>
{
    private readonly FusedAttention self_attn;
    private readonly FusedAttention multihead_attn;
    private readonly Linear linear1;
    private readonly Linear linear2;
    private readonly LayerNorm norm1;
    private readonly LayerNorm norm2;
    private readonly LayerNorm norm3;
    private readonly SeededDropout dropout;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly bool _normFirst;

    public TransformerDecoderLayer(TransformerPlan plan, Device? device = null)
        : base(nameof(TransformerDecoderLayer))
    {
        self_attn = new FusedAttention(plan.Attention, device);
        multihead_attn = new FusedAttention(plan.Attention, device);
        linear1 = Linear(plan.DModel, plan.DimFeedforward, device: device);
        linear2 = Linear(plan.DimFeedforward, plan.DModel, device: device);
        norm1 = LayerNorm(plan.DModel, plan.LayerNormEps, device: device);
        norm2 = LayerNorm(plan.DModel, plan.LayerNormEps, device: device);
        norm3 = LayerNorm(plan.DModel, plan.LayerNormEps, device: device);
        dropout = new SeededDropout(plan.Dropout);
        (_activation, _normFirst) = (Activation.Named(plan.Activation), plan.NormFirst);
        RegisterComponents();
    }

    /// <param name="x">[B, T, D].</param>
    public override DecoderLayerResult forward(Tensor x, DecoderCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = self_attn.call(_normFirst ? norm1.call(x) : x, call.Self);
        x = Behind(norm1, x + dropout.call(mixed));
        (mixed, var crossWeights) = multihead_attn.call(_normFirst ? norm2.call(x) : x, call.Cross);
        x = Behind(norm2, x + dropout.call(mixed));
        x = Behind(norm3, x + FeedForward(_normFirst ? norm3.call(x) : x));
        return new DecoderLayerResult(x.MoveToOuterDisposeScope(), weights?.MoveToOuterDisposeScope(), crossWeights?.MoveToOuterDisposeScope());
    }

    private Tensor FeedForward(Tensor x) => dropout.call(linear2.call(dropout.call(_activation(linear1.call(x)))));

    private Tensor Behind(LayerNorm norm, Tensor x) => _normFirst ? x : norm.call(x);
}
