using System.Collections.Concurrent;

namespace Bruma.Data;

/// <summary>Prepares items of an endless stream on a background thread: item n is a pure function of n, so there is no position to save.</summary>
public static class Prefetch
{
    private const int Ahead = 4;

    /// <summary>Items from a given one on, until the enumeration ends.</summary>
    public static IEnumerable<T> From<T>(long first, Func<long, T> at) where T : IDisposable
    {
        using var stop = new CancellationTokenSource();
        using var ready = new BlockingCollection<(T? Item, Exception? Failure)>(Ahead);
        var producer = new Thread(() => Produce(first, at, ready, stop.Token)) { IsBackground = true, Name = "batches" };
        producer.Start();
        try
        {
            foreach (var (item, failure) in ready.GetConsumingEnumerable(CancellationToken.None))
                yield return failure is null ? item! : throw new BrumaException(failure.Message, failure);
        }
        finally
        {
            stop.Cancel();
            producer.Join();
            while (ready.TryTake(out var left))
                left.Item?.Dispose();
        }
    }

    private static void Produce<T>(long first, Func<long, T> at, BlockingCollection<(T? Item, Exception? Failure)> ready, CancellationToken stop) where T : IDisposable
    {
        try
        {
            for (var n = first; !stop.IsCancellationRequested; n++)
            {
                var item = at(n);
                try
                {
                    ready.Add((item, null), stop);
                }
                catch (OperationCanceledException)
                {
                    item.Dispose();
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            ready.TryAdd((default, e), Timeout.Infinite, stop);
        }
        finally
        {
            ready.CompleteAdding();
        }
    }
}
