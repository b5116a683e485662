using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Attention at inference, block by block: the scores of some queries against all keys lie in one small buffer that every block reuses.</summary>
/// <remarks>
/// In spirit Rabe and Staats 2021, arXiv:2112.05682. The same sums as <see cref="AttentionProduct.Plain"/> in another order of rounding: the scores are rounded to the
/// type of the inputs. Without gradients, on the CPU, in fp32 and bf16.
/// </remarks>
internal static class BlockAttention
{
    /// <summary>Larger buffers leave the cache, smaller ones cost calls.</summary>
    private const long BufferBytes = 4 << 20;

    private const double Log2E = 1.4426950408889634;

    /// <summary>Whether the kernel takes the inputs; else <see cref="AttentionProduct.Plain"/> does.</summary>
    public static bool Takes(Tensor query) =>
        !is_grad_enabled() && !Checkpoint.IsRunning && query.device.type == TorchSharp.DeviceType.CPU && query.dtype is ScalarType.Float32 or ScalarType.BFloat16;

    /// <param name="query">[B, Tq, N * d]; rows may be apart, elements of a row not.</param>
    /// <param name="key">[B, Tk, N * d].</param>
    /// <param name="value">[B, Tk, N * d].</param>
    /// <returns>[B, Tq, N * d].</returns>
    public static Tensor Run(Tensor query, Tensor key, Tensor value, long heads)
    {
        using var scope = NewDisposeScope();
        var (batch, queries, keys) = (query.shape[0], query.shape[1], key.shape[1]);
        var width = query.shape[2] / heads;
        var scaled = key * (Log2E / Math.Sqrt(width));
        var turned = scaled.view(batch, keys, heads, width).permute(0, 2, 3, 1).contiguous(); // [B, N, d, Tk]
        var result = empty(query.shape, query.dtype, query.device);
        var rows = Math.Clamp(BufferBytes / (keys * query.ElementSize), 1, queries);
        var buffers = new Buffers(empty([rows, keys], query.dtype), empty([rows, width], query.dtype), empty([rows], float32));
        for (var sample = 0L; sample < batch; sample++)
            for (var head = 0L; head < heads; head++)
            {
                using var inner = NewDisposeScope();
                var q = query[sample].narrow(1, head * width, width);
                var (k, v) = (turned[sample][head], value[sample].narrow(1, head * width, width).contiguous());
                for (var start = 0L; start < queries; start += rows)
                    Block(q.narrow(0, start, Math.Min(rows, queries - start)), (k, v), buffers, TensorMemory.Address(result) + (nint)(((sample * queries + start) * heads + head) * width * query.ElementSize), heads * width);
            }
        return result.MoveToOuterDisposeScope();
    }

    private static void Block(Tensor q, (Tensor K, Tensor V) head, Buffers buffers, nint target, long stride)
    {
        var (rows, columns, width) = ((int)q.shape[0], (int)head.K.shape[1], (int)q.shape[1]);
        var (scores, mixed) = (buffers.Scores.narrow(0, 0, rows), buffers.Mixed.narrow(0, 0, rows));
        scores.addmm_(q, head.K, 0, 1);
        if (q.dtype == ScalarType.BFloat16)
            SoftmaxKernel<BFloat16Lanes>.Numerators(TensorMemory.Address(scores), TensorMemory.Address(buffers.Sums), rows, columns);
        else
            SoftmaxKernel<Float32Lanes>.Numerators(TensorMemory.Address(scores), TensorMemory.Address(buffers.Sums), rows, columns);
        mixed.addmm_(scores, head.V, 0, 1);
        if (q.dtype == ScalarType.BFloat16)
            SoftmaxKernel<BFloat16Lanes>.Divide(TensorMemory.Address(mixed), TensorMemory.Address(buffers.Sums), target, rows, width, stride);
        else
            SoftmaxKernel<Float32Lanes>.Divide(TensorMemory.Address(mixed), TensorMemory.Address(buffers.Sums), target, rows, width, stride);
    }

    /// <summary>Memory that all blocks share.</summary>
    private readonly record struct Buffers(Tensor Scores, Tensor Mixed, Tensor Sums);
}
