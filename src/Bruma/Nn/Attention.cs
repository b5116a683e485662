using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Multi-head attention over tokens, within one sequence or from one to another.</summary>
/// <remarks>Vaswani et al. 2017, arXiv:1706.03762. Checkpoint keys of diffusers: <c>to_q</c>, <c>to_k</c>, <c>to_v</c>, <c>to_out.0</c>.</remarks>
public sealed class Attention : Module<Tensor, Tensor?, Tensor>
{
    private readonly Linear to_q;
    private readonly Linear to_k;
    private readonly Linear to_v;
    private readonly ModuleList<Linear> to_out;
    private readonly long _heads;

    /// <param name="width">D, of the tokens.</param>
    /// <param name="contextWidth">Of the context; that of the tokens for self-attention.</param>
    /// <param name="bias">Whether query, key and value have one; the output always has.</param>
    public Attention(long width, long contextWidth, long heads, long headWidth, bool bias, Device? device = null)
        : base(nameof(Attention))
    {
        _heads = heads;
        to_q = Linear(width, heads * headWidth, bias, device);
        to_k = Linear(contextWidth, heads * headWidth, bias, device);
        to_v = Linear(contextWidth, heads * headWidth, bias, device);
        to_out = ModuleList(Linear(heads * headWidth, width, device: device));
        RegisterComponents();
    }

    /// <summary>The last projection, which training from scratch may begin at zero.</summary>
    public Linear Output => to_out[0];

    /// <summary>Sees the weights of every call, [B, N, T, S], rows of which add up to 1; they are gone after it. null while nobody looks.</summary>
    public Action<Tensor>? Watched { get; set; }

    /// <param name="x">Tokens, [B, T, D].</param>
    /// <param name="context">What they look at, [B, S, C]; null for themselves.</param>
    /// <returns>[B, T, D], without the residual.</returns>
    public override Tensor forward(Tensor x, Tensor? context) => Mix(x, context, context);

    /// <summary>The same where keys and values may come from different places, or from one whose gradients are to be summed one by one.</summary>
    /// <param name="residual">Added to the result, [B, T, D]; null for nothing.</param>
    internal Tensor Mix(Tensor x, Tensor? keys, Tensor? values, Tensor? residual = null)
    {
        using var scope = NewDisposeScope();
        var (query, key, value) = (FastLinear.Run(to_q, x), FastLinear.Run(to_k, keys ?? x), FastLinear.Run(to_v, values ?? x));
        var mixed = Watched is null ? AttentionProduct.Attend(query, key, value, _heads) : Watch(query, key, value);
        return FastLinear.Run(to_out[0], mixed, residual).MoveToOuterDisposeScope();
    }

    private Tensor Watch(Tensor query, Tensor key, Tensor value)
    {
        using var scope = NewDisposeScope();
        var q = AttentionProduct.SplitHeads(query, _heads);
        var (mixed, weights) = AttentionProduct.Weighted(q, AttentionProduct.SplitHeads(key, _heads), AttentionProduct.SplitHeads(value, _heads), null, 1 / Math.Sqrt(q.shape[^1]));
        Watched!(weights);
        return AttentionProduct.JoinHeads(mixed).MoveToOuterDisposeScope();
    }
}
