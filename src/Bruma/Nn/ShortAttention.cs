using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Attention at inference over short sequences: both products for all heads at once, the softmax between in one pass that leaves its division to the end.</summary>
/// <remarks>The scores are rounded to the type of the inputs, as attention block by block does.</remarks>
public static class ShortAttention
{
    /// <summary>What the queries are scaled with beside 1 / √d: the kernel takes powers of 2.</summary>
    public const double Log2E = 1.4426950408889634;

    /// <param name="query">[B, N, T, d], scaled by log2(e) / √d.</param>
    /// <param name="key">[B, N, S, d].</param>
    /// <param name="value">[B, N, S, d].</param>
    /// <param name="mask">0, or a number so low that the key counts for nothing, broadcastable to [B, N, T, S]; null for none.</param>
    /// <returns>[B, T, N * d].</returns>
    public static Tensor Run(Tensor query, Tensor key, Tensor value, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var scores = matmul(query, key.transpose(-1, -2));
        if (mask is not null)
            scores.add_(mask);
        var (batch, heads, tokens, keys) = (scores.shape[0], scores.shape[1], scores.shape[2], scores.shape[3]);
        var sums = empty([batch * heads * tokens], float32);
        var result = empty([batch, tokens, heads * value.shape[3]], query.dtype);
        if (query.dtype == ScalarType.BFloat16)
            Finish<BFloat16Lanes>(scores, value, (sums, result), keys);
        else
            Finish<Float32Lanes>(scores, value, (sums, result), keys);
        return result.MoveToOuterDisposeScope();
    }

    private static void Finish<T>(Tensor scores, Tensor value, (Tensor Sums, Tensor Result) to, long keys)
        where T : struct, ILanes
    {
        SoftmaxKernel<T>.Numerators(TensorMemory.Address(scores), TensorMemory.Address(to.Sums), (int)to.Sums.shape[0], (int)keys);
        var mixed = matmul(scores, value);
        SoftmaxKernel<T>.DivideHeads(TensorMemory.Address(mixed), TensorMemory.Address(to.Sums), TensorMemory.Address(to.Result), mixed.shape);
    }
}
