namespace Bruma.Verification;

/// <summary>The index of a stored micro-batch.</summary>
internal sealed record StoredBatch(int Index) : IDisposable
{
    public static IEnumerable<StoredBatch> From(long first)
    {
        for (var index = (int)first; ; index++)
            yield return new StoredBatch(index);
    }

    public void Dispose()
    {
    }
}
