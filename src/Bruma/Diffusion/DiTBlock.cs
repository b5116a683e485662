using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>Input of a block: tokens [B, T, D], timesteps [B], class indices [B].</summary>
public readonly record struct DiTInput(Tensor Tokens, Tensor Timesteps, Tensor Classes);

/// <summary>A transformer block whose norms are scaled, shifted and gated by time and class.</summary>
/// <remarks>Peebles and Xie 2023, arXiv:2212.09748, adaLN-Zero.</remarks>
public sealed class DiTBlock : Module<DiTInput, Tensor>
{
    private readonly AdaptiveNorm norm1;
    private readonly Attention attn1;
    private readonly LayerNorm norm3;
    private readonly FeedForward ff;

    public DiTBlock(DiTConfig config, Device? device = null)
        : base(nameof(DiTBlock))
    {
        norm1 = new AdaptiveNorm(config.Width, config.NumEmbedsAdaNorm, device);
        attn1 = new Attention(config.Width, config.Width, config.NumAttentionHeads, config.AttentionHeadDim, config.AttentionBias, device);
        norm3 = LayerNorm(config.Width, config.NormEps, config.NormElementwiseAffine, device: device);
        ff = new FeedForward(config.Width, 4L * config.Width, config.ActivationFn == "gelu-approximate", config.Dropout, device);
        RegisterComponents();
    }

    /// <summary>Embeds time and class, and decides how they steer the block.</summary>
    public AdaptiveNorm Modulation => norm1;

    /// <returns>[B, T, D].</returns>
    public override Tensor forward(DiTInput input)
    {
        using var scope = NewDisposeScope();
        var steer = norm1.call(input.Tokens, input.Timesteps, input.Classes);

        var x = input.Tokens + steer.AttentionGate * attn1.call(steer.Normed, null);
        var h = norm3.call(x) * (steer.FeedForwardScale + 1) + steer.FeedForwardShift;
        return (x + steer.FeedForwardGate * ff.call(h)).MoveToOuterDisposeScope();
    }
}

/// <summary>What time and class give a block: the normed tokens [B, T, D] and four vectors [B, 1, D].</summary>
public readonly record struct Modulated(Tensor Normed, Tensor AttentionGate, Tensor FeedForwardShift, Tensor FeedForwardScale, Tensor FeedForwardGate);

/// <summary>Layer norm that a conditioning vector scales and shifts; it also gives the gates and the second norm's scale and shift.</summary>
public sealed class AdaptiveNorm : Module<Tensor, Tensor, Tensor, Modulated>
{
    private readonly TimeClassEmbedding emb;
    private readonly Linear linear;
    private readonly LayerNorm norm;

    public AdaptiveNorm(long width, long classes, Device? device = null)
        : base(nameof(AdaptiveNorm))
    {
        emb = new TimeClassEmbedding(width, classes, device);
        linear = Linear(width, 6 * width, device: device);
        norm = LayerNorm(width, 1e-6, elementwise_affine: false, device: device);
        RegisterComponents();
    }

    public TimeClassEmbedding Conditioning => emb;

    /// <summary>The layer that begins at 0, so that every block begins as the identity.</summary>
    public Linear Output => linear;

    /// <param name="tokens">[B, T, D].</param>
    public override Modulated forward(Tensor tokens, Tensor timesteps, Tensor classes)
    {
        using var scope = NewDisposeScope();
        var parts = linear.call(functional.silu(emb.call(timesteps, classes))).unsqueeze(1).chunk(6, -1); // each [B, 1, D]
        var normed = norm.call(tokens) * (parts[1] + 1) + parts[0];
        return new Modulated(normed.MoveToOuterDisposeScope(), parts[2].MoveToOuterDisposeScope(), parts[3].MoveToOuterDisposeScope(),
            parts[4].MoveToOuterDisposeScope(), parts[5].MoveToOuterDisposeScope());
    }
}
