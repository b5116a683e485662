using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Self-attention over the positions of a feature map, with its own group norm and a residual connection.</summary>
/// <remarks>Ho et al. 2020, arXiv:2006.11239. Sequences here are short (an 8x8 or 16x16 map), where product, softmax, product is faster than the fused kernel.</remarks>
public sealed class SpatialSelfAttention : Module<Tensor, Tensor>
{
    private readonly int _heads;
    private readonly double _rescale;
    private readonly GroupNorm group_norm;
    private readonly Linear to_q;
    private readonly Linear to_k;
    private readonly Linear to_v;
    private readonly ModuleList<Linear> to_out;

    /// <param name="channels">Width C.</param>
    /// <param name="headWidth">Width of a head; null for one head.</param>
    /// <param name="groups">Groups of the norm.</param>
    /// <param name="eps">Epsilon of the norm.</param>
    /// <param name="rescale">The sum with the input is divided by this.</param>
    public SpatialSelfAttention(int channels, int? headWidth, int groups, double eps, double rescale) : base(nameof(SpatialSelfAttention))
    {
        _heads = channels / (headWidth ?? channels);
        _rescale = rescale;
        group_norm = Norms.Group(groups, channels, eps);
        to_q = Linear(channels, channels);
        to_k = Linear(channels, channels);
        to_v = Linear(channels, channels);
        to_out = ModuleList(Linear(channels, channels));
        RegisterComponents();
    }

    /// <summary>The last projection, which starts at zero in a network trained from scratch.</summary>
    public Linear Output => to_out[0];

    /// <param name="x">[B, C, H, W].</param>
    /// <returns>[B, C, H, W].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3]);
        var tokens = group_norm.call(x).view(batch, channels, height * width).transpose(1, 2); // [B, T, C]
        var (q, k, v) = (Heads(to_q.call(tokens)), Heads(to_k.call(tokens)), Heads(to_v.call(tokens)));
        var weights = (q * (1 / Math.Sqrt(channels / _heads))).matmul(k.transpose(2, 3)).softmax(-1); // [B, N, T, T]
        var mixed = weights.matmul(v).transpose(1, 2).reshape(batch, height * width, channels);
        var result = Output.call(mixed).transpose(1, 2).reshape(batch, channels, height, width);
        return ((result + x) / _rescale).MoveToOuterDisposeScope();
    }

    private Tensor Heads(Tensor tokens) => tokens.view(tokens.shape[0], tokens.shape[1], _heads, -1).transpose(1, 2); // [B, N, T, D]
}
