using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>softmax(q kᵀ / √d) v for several heads.</summary>
public static class AttentionProduct
{
    private const long SmallScores = 2 << 20;

    /// <summary>Attention of several heads in the form that is the fastest for the call: block by block at inference over long sequences, else <see cref="Plain"/>.</summary>
    /// <param name="query">[B, Tq, N * d].</param>
    /// <param name="key">[B, Tk, N * d].</param>
    /// <param name="value">[B, Tk, N * d].</param>
    /// <returns>[B, Tq, N * d].</returns>
    public static Tensor Attend(Tensor query, Tensor key, Tensor value, long heads)
    {
        if (BlockAttention.Takes(query) && heads * query.shape[1] * key.shape[1] * query.ElementSize > SmallScores)
            return BlockAttention.Run(query, key, value, heads);
        using var scope = NewDisposeScope();
        return JoinHeads(Plain(SplitHeads(query, heads), SplitHeads(key, heads), SplitHeads(value, heads))).MoveToOuterDisposeScope();
    }

    /// <summary>Product, softmax, product as plain operators: for short sequences faster than the fused operator, above all in its backward pass.</summary>
    /// <param name="query">[B, N, Tq, d].</param>
    /// <param name="key">[B, N, Tk, d].</param>
    /// <param name="value">[B, N, Tk, d].</param>
    /// <returns>[B, N, Tq, d].</returns>
    public static Tensor Plain(Tensor query, Tensor key, Tensor value)
    {
        using var scope = NewDisposeScope();
        var scores = matmul(query * (1 / Math.Sqrt(query.shape[^1])), key.transpose(-1, -2)); // [B, N, Tq, Tk]
        return matmul(scores.softmax(-1), value).MoveToOuterDisposeScope();
    }

    /// <summary>The same with a bias on the scores (a mask, relative positions) and the weights beside the result.</summary>
    /// <param name="bias">Added before the softmax, broadcastable to [B, N, Tq, Tk]; null for none.</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="dropout">Applied to the weights that mix the values; null for none.</param>
    /// <returns>The mixed values, [B, N, Tq, d], and the weights before dropout, [B, N, Tq, Tk], rows of which add up to 1.</returns>
    public static (Tensor Mixed, Tensor Weights) Weighted(Tensor query, Tensor key, Tensor value, Tensor? bias, double scale, SeededDropout? dropout = null)
    {
        using var scope = NewDisposeScope();
        var scores = matmul(scale == 1 ? query : query * scale, key.transpose(-1, -2));
        var weights = (bias is null ? scores : scores + bias).softmax(-1);
        var mixed = matmul(dropout is null ? weights : dropout.call(weights), value);
        return (mixed.MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope());
    }

    /// <summary>Splits the last dimension into heads.</summary>
    /// <param name="x">[B, T, N * d].</param>
    /// <returns>A view, [B, N, T, d].</returns>
    public static Tensor SplitHeads(Tensor x, long heads) => x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2);

    /// <summary>The reverse of <see cref="SplitHeads"/>.</summary>
    /// <returns>[B, T, N * d].</returns>
    public static Tensor JoinHeads(Tensor x) => x.transpose(1, 2).flatten(2);
}
