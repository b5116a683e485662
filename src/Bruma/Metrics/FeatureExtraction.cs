using System.Collections.Concurrent;
using Bruma.Data;
using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>Runs a network over a source of any size in bounded memory: pictures are decoded ahead on other threads, vectors go to disk in parts, so that a stopped run goes on.</summary>
public sealed class FeatureExtraction(FeatureNetwork network, FeatureCache? cache = null)
{
    private const int Ahead = 3;

    /// <summary>The features of every picture of a source.</summary>
    public FeatureSet RunAll(ImageSource source, Action<int>? done = null, CancellationToken cancellationToken = default) => Run(source, [.. Enumerable.Range(0, source.Examples.Count)], done, cancellationToken);

    /// <param name="indices">The pictures to take, in this order; equal beginnings share their parts in the cache.</param>
    /// <param name="done">Told the number of pictures done.</param>
    /// <exception cref="BrumaException">No picture is usable, or a vector is not finite.</exception>
    public FeatureSet Run(ImageSource source, IReadOnlyList<int> indices, Action<int>? done = null, CancellationToken cancellationToken = default)
    {
        var key = cache is null ? null : FeatureCache.KeyOf(source, network);
        var parts = new List<FeatureSet>();
        for (var at = 0; at < indices.Count; at += FeatureCache.PartSize)
        {
            var part = indices.Skip(at).Take(FeatureCache.PartSize).ToList();
            var begun = at;
            parts.Add(cache?.Find(key!, part) ?? Kept(key, part, Compute(source, part, count => done?.Invoke(begun + count), cancellationToken)));
            done?.Invoke(at + part.Count);
        }
        var all = parts.Where(part => part.Count > 0).ToList();
        if (all.Count == 0)
            throw new BrumaException($"{source.Name}: none of its {indices.Count} pictures can be used{(parts.SelectMany(part => part.Skipped).FirstOrDefault() is { } reason ? $"; the first: {reason}" : "")}.");
        return FeatureSet.Join(all) with { Skipped = [.. parts.SelectMany(part => part.Skipped)] };
    }

    private FeatureSet Kept(string? key, List<int> part, FeatureSet computed)
    {
        if (key is not null)
            cache!.Keep(key, part, computed);
        return computed;
    }

    private FeatureSet Compute(ImageSource source, List<int> indices, Action<int> done, CancellationToken cancellationToken)
    {
        var batches = new List<FeatureSet>();
        var count = 0;
        foreach (var (prepared, used, skipped, taken) in Prepared(source, indices, cancellationToken))
        {
            using var scope = NewDisposeScope();
            var empty = zeros(0, 1);
            var (features, logits) = prepared is null ? new FeatureBatch(empty, null) : network.Compute(prepared);
            prepared?.Dispose();
            RequireFinite(source, features, used);
            batches.Add(new FeatureSet(features.DetachFromDisposeScope(), logits?.DetachFromDisposeScope(), used, skipped));
            done(count += taken);
        }
        var whole = batches.Where(batch => batch.Count > 0).ToList();
        var skippedAll = batches.SelectMany(batch => batch.Skipped).ToArray();
        return whole.Count > 0 ? FeatureSet.Join(whole) with { Skipped = skippedAll } : new FeatureSet(zeros(0, 1).DetachFromDisposeScope(), null, [], skippedAll);
    }

    private sealed record Batch(Tensor? Pictures, int[] Used, string[] Skipped, int Taken);

    /// <summary>Batches in order, made ready by a thread of their own that uses all processors.</summary>
    private IEnumerable<Batch> Prepared(ImageSource source, List<int> indices, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var ready = new BlockingCollection<Batch>(Ahead);
        var producer = Task.Factory.StartNew(() =>
        {
            try
            {
                foreach (var chunk in indices.Chunk(network.BatchSize))
                    ready.Add(Prepare(source, chunk), stop.Token);
            }
            finally
            {
                ready.CompleteAdding();
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            foreach (var batch in ready.GetConsumingEnumerable(CancellationToken.None))
                yield return batch;
            producer.GetAwaiter().GetResult(); // what went wrong there is said here
        }
        finally
        {
            stop.Cancel();
            try
            {
                producer.Wait(CancellationToken.None);
            }
            catch (AggregateException)
            {
                // cancelled, or already thrown above
            }
            while (ready.TryTake(out var left))
                left.Pictures?.Dispose();
        }
        cancellationToken.ThrowIfCancellationRequested();
    }

    private Batch Prepare(ImageSource source, int[] indices)
    {
        var pictures = new Tensor?[indices.Length];
        var errors = new string?[indices.Length];
        Parallel.For(0, indices.Length, i =>
        {
            try
            {
                using var scope = NewDisposeScope();
                pictures[i] = network.Prepare(source.Load(indices[i])).DetachFromDisposeScope();
            }
            catch (BrumaException e)
            {
                errors[i] = e.Message;
            }
        });
        var usable = pictures.OfType<Tensor>().ToArray();
        var batch = usable.Length == 0 ? null : stack(usable).DetachFromDisposeScope();
        foreach (var picture in usable)
            picture.Dispose();
        return new Batch(batch, [.. indices.Where((_, i) => pictures[i] is not null)], [.. errors.OfType<string>()], indices.Length);
    }

    private void RequireFinite(ImageSource source, Tensor features, int[] used)
    {
        using var scope = NewDisposeScope();
        var bad = features.isfinite().all(1).logical_not();
        if (bad.any().item<bool>())
            throw new BrumaException($"{source.Name}: the features of {source.Examples[used[bad.to(int32).argmax().item<long>()]].Name} by {network.Name} hold NaN or infinity; check that picture and the network's weights.");
    }
}
