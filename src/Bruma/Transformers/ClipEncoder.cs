using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>The layers of a CLIP tower; checkpoint keys <c>layers.N</c>.</summary>
public sealed class ClipEncoder : Module
{
    private readonly ModuleList<ClipEncoderLayer> layers = ModuleList<ClipEncoderLayer>();

    internal ClipEncoder(ClipTower tower, Device? device)
        : base(nameof(ClipEncoder))
    {
        for (var i = 0; i < tower.NumHiddenLayers; i++)
            layers.Add(new ClipEncoderLayer(tower, device));
        RegisterComponents();
    }

    internal TransformerOutput Run(Tensor x, AttentionCall call) => LayerStack.Run(layers, x, call);
}

/// <summary>Attention and feed-forward, each behind a norm and within a residual.</summary>
public sealed class ClipEncoderLayer : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly MultiHeadAttention self_attn;
    private readonly LayerNorm layer_norm1;
    private readonly TokenFeedForward mlp;
    private readonly LayerNorm layer_norm2;

    internal ClipEncoderLayer(ClipTower tower, Device? device)
        : base(nameof(ClipEncoderLayer))
    {
        self_attn = new MultiHeadAttention(
            new AttentionPlan(tower.HiddenSize, tower.NumAttentionHeads, Dropout: tower.AttentionDropout),
            new ProjectionKeys("q_proj", "k_proj", "v_proj", "out_proj"),
            device);
        layer_norm1 = LayerNorm(tower.HiddenSize, tower.LayerNormEps, device: device);
        mlp = new TokenFeedForward((tower.HiddenSize, tower.IntermediateSize), tower.HiddenAct, new FeedForwardKeys("fc1", "fc2"), device: device);
        layer_norm2 = LayerNorm(tower.HiddenSize, tower.LayerNormEps, device: device);
        RegisterComponents();
    }

    /// <param name="x">[B, T, D].</param>
    /// <returns>[B, T, D].</returns>
    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = self_attn.call(layer_norm1.call(x), call);
        var h = x + mixed;
        h = h + mlp.call(layer_norm2.call(h));
        return new AttentionResult(h, weights).MoveToOuterDisposeScope();
    }
}
