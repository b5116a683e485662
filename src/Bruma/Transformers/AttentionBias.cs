using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>Masks as numbers that are added to attention scores: 0 where a query may look, the type's lowest finite number where not.</summary>
/// <remarks>Finite, so that a query that may look nowhere (padding on the left) gets an even mixture instead of NaN.</remarks>
public static class AttentionBias
{
    /// <param name="mask">1 for tokens, 0 for padding, [B, S], or for each query [B, Tq, S]; null when all are tokens.</param>
    /// <param name="size">Queries and keys; the last query is at the position of the last key.</param>
    /// <param name="causal">Whether queries see only keys at their own and earlier positions.</param>
    /// <returns>[B or 1, 1, Tq or 1, S]; null when everything may be seen.</returns>
    public static Tensor? Create(Tensor? mask, (long Queries, long Keys) size, bool causal, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        Tensor? allowed = null;
        if (causal && size.Queries > 1)
            allowed = ones([1, 1, size.Queries, size.Keys], ScalarType.Bool, device).tril(size.Keys - size.Queries);
        if (mask is not null)
        {
            Require(mask, size);
            var tokens = (mask.dim() == 3 ? mask.unsqueeze(1) : mask[.., TensorIndex.None, TensorIndex.None, ..]).to(device) != 0;
            allowed = allowed is null ? tokens : allowed.logical_and(tokens);
        }
        return allowed is null
            ? null
            : zeros(allowed.shape, dtype, device).masked_fill(allowed.logical_not(), finfo(dtype).min).MoveToOuterDisposeScope();
    }

    private static void Require(Tensor mask, (long Queries, long Keys) size)
    {
        if (mask.dim() is not (2 or 3) || mask.shape[^1] != size.Keys || mask.dim() == 3 && mask.shape[1] != size.Queries)
            throw new BrumaException($"The attention mask is [{string.Join(", ", mask.shape)}] for {size.Queries} queries and {size.Keys} keys; expected [batch, {size.Keys}].");
    }
}
