using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Data;

/// <summary>Windows of a long text as ids.</summary>
/// <param name="Ids">int64, [B, T].</param>
public sealed record TokenWindow(Tensor Ids) : IDisposable
{
    public void Dispose() => Ids.Dispose();
}

/// <summary>Windows at random places of a text: batch n is a pure function of (seed, n).</summary>
/// <param name="tokens">The text.</param>
/// <param name="size">B and T.</param>
public sealed class TokenWindows(int[] tokens, (int Batch, int Length) size, long seed)
{
    public IEnumerable<TokenWindow> From(long first)
    {
        for (var n = first; ; n++)
            yield return At(n);
    }

    /// <summary>The text cut into windows in order, as many batches as it fills; for measuring.</summary>
    public IEnumerable<TokenWindow> InOrder()
    {
        var windows = tokens.Length / size.Length;
        for (var at = 0; at < windows; at += size.Batch)
            yield return Cut([.. Enumerable.Range(at, Math.Min(size.Batch, windows - at)).Select(window => window * size.Length)]);
    }

    private TokenWindow At(long n) => Cut([.. Enumerable.Range(0, size.Batch).Select(i => (int)(HashedSeed.Of(seed, 12, n * size.Batch + i) % (ulong)(tokens.Length - size.Length + 1)))]);

    private TokenWindow Cut(int[] starts)
    {
        var ids = new long[starts.Length, size.Length];
        for (var row = 0; row < starts.Length; row++)
            for (var i = 0; i < size.Length; i++)
                ids[row, i] = tokens[starts[row] + i];
        return new TokenWindow(tensor(ids).DetachFromDisposeScope());
    }
}
