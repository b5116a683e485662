using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Data.Sequences;

/// <summary>Pairs of texts as ids, padded to the longest.</summary>
/// <param name="Source">int64, [B, S].</param>
/// <param name="SourceMask">True for characters, [B, S].</param>
/// <param name="Input">What the decoder sees: begin and the target, int64, [B, T].</param>
/// <param name="Labels">What it is to give: the target and end, int64, [B, T].</param>
public sealed record SequenceBatch(Tensor Source, Tensor SourceMask, Tensor Input, Tensor Labels) : IDisposable
{
    /// <summary>A batch of these examples; it belongs to the caller.</summary>
    public static SequenceBatch Of(IReadOnlyList<SequenceExample> examples, CharacterVocabulary vocabulary)
    {
        using var scope = NewDisposeScope();
        var sources = Padded(examples.Select(example => vocabulary.Encode(example.Source)));
        var targets = examples.Select(example => vocabulary.Encode(example.Target)).ToList();
        return new SequenceBatch(
            sources.DetachFromDisposeScope(),
            (sources != CharacterVocabulary.PadId).DetachFromDisposeScope(),
            Padded(targets.Select(target => (IReadOnlyList<long>)[CharacterVocabulary.BosId, .. target])).DetachFromDisposeScope(),
            Padded(targets.Select(target => (IReadOnlyList<long>)[.. target, CharacterVocabulary.EosId])).DetachFromDisposeScope());
    }

    public void Dispose()
    {
        Source.Dispose();
        SourceMask.Dispose();
        Input.Dispose();
        Labels.Dispose();
    }

    private static Tensor Padded(IEnumerable<IReadOnlyList<long>> rows)
    {
        var all = rows.ToList();
        var ids = new long[all.Count, Math.Max(1, all.Max(row => row.Count))];
        for (var i = 0; i < all.Count; i++)
            for (var j = 0; j < all[i].Count; j++)
                ids[i, j] = all[i][j];
        return tensor(ids);
    }
}

/// <summary>Batches of a task: batch n is a pure function of (seed, n).</summary>
public sealed class SequenceBatches(SequenceTask task, CharacterVocabulary vocabulary, int batchSize, long seed)
{
    public IEnumerable<SequenceBatch> From(long first)
    {
        for (var n = first; ; n++)
            yield return SequenceBatch.Of([.. Enumerable.Range(0, batchSize).Select(i => task.Training(seed, n * batchSize + i))], vocabulary);
    }
}
