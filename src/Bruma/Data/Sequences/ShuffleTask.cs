using Bruma.Nn;

namespace Bruma.Data.Sequences;

/// <summary>Random letters to be copied, reversed or sorted: what shows whether positions are understood.</summary>
/// <param name="kind"><c>copy</c>, <c>reverse</c> or <c>sort</c>.</param>
/// <param name="longest">Letters of a training example at most.</param>
/// <param name="shortest">And at least.</param>
public sealed class ShuffleTask(string kind, int longest = 16, int shortest = 4) : SequenceTask(kind, $"{shortest} to {longest} random letters: {kind}")
{
    private const string Letters = "abcdefghijklmnopqrst";

    public override IEnumerable<string> Characters => Letters.Select(letter => letter.ToString());

    public override int LongestTarget => longest;

    public override SequenceExample Training(long seed, long index)
    {
        for (var attempt = 0; ; attempt++)
        {
            var text = Text(seed, index, attempt, shortest + Draw(seed, index, attempt << 10, longest - shortest + 1));
            if (!IsHeldOut(ContentOf(text)))
                return Example(text);
        }
    }

    public override IReadOnlyList<SequenceExample> HeldOut(int count) => HeldOut(count, null);

    /// <summary>The same with one length for all, also one that training does not have.</summary>
    public IReadOnlyList<SequenceExample> HeldOut(int count, int? length) =>
        [.. Enumerable.Range(0, int.MaxValue).Select(i => Text(1, i, 0, length ?? shortest + Draw(1, i, 0, longest - shortest + 1))).Where(text => IsHeldOut(ContentOf(text))).Take(count).Select(Example)];

    private static string Text(long seed, long index, int attempt, int length) =>
        string.Create(length, (seed, index, attempt), static (letters, place) =>
        {
            for (var i = 0; i < letters.Length; i++)
                letters[i] = Letters[Draw(place.seed, place.index, (place.attempt << 10) + 1 + i, Letters.Length)];
        });

    private static long ContentOf(string text) => text.Aggregate(0L, (hash, letter) => (long)HashedSeed.Of(hash, letter));

    private SequenceExample Example(string text) => new(text, Name switch
    {
        "reverse" => string.Concat(text.Reverse()),
        "sort" => string.Concat(text.Order()),
        _ => text,
    });
}
