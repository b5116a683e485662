using Bruma.Nn;

namespace Bruma.Data.Sequences;

/// <summary>Pairs of a user's file: source, tab, target on each line. One line in ten is held out, all lines with the same source together.</summary>
public sealed class TabSeparatedTask : SequenceTask
{
    private const int LongestText = 400;

    private readonly SequenceExample[] _training;
    private readonly SequenceExample[] _heldOut;

    private TabSeparatedTask(string path, IReadOnlyList<SequenceExample> examples)
        : base(Path.GetFileNameWithoutExtension(path), $"{examples.Count} pairs of {Path.GetFileName(path)}")
    {
        (_training, _heldOut) = ([.. examples.Where(example => !IsHeldOut(ContentOf(example.Source)))], [.. examples.Where(example => IsHeldOut(ContentOf(example.Source)))]);
        if (_training.Length == 0 || _heldOut.Length == 0)
            throw new BrumaException($"{path}: {examples.Count} pairs are too few to train on some and measure on others; give at least 50.");
        Characters = [.. _training.SelectMany(example => example.Source.EnumerateRunes().Concat(example.Target.EnumerateRunes())).Distinct().Order().Select(rune => rune.ToString())];
        LongestTarget = examples.Max(example => example.Target.Length);
    }

    public override IEnumerable<string> Characters { get; }

    public override int LongestTarget { get; }

    /// <exception cref="BrumaException">A line has no two columns, a text is empty or too long, or there are too few.</exception>
    public static TabSeparatedTask Read(string path)
    {
        var examples = new List<SequenceExample>();
        foreach (var (line, columns) in SeparatedValues.Read(path, '\t').Where(row => row.Cells.Any(cell => cell.Trim().Length > 0)))
        {
            if (columns.Count != 2)
                throw new BrumaException($"{path}, line {line}: has {columns.Count} columns; expected two, source and target, with a tab between.");
            if (columns.Any(column => column.Trim().Length == 0))
                throw new BrumaException($"{path}, line {line}: one of the two texts is empty; fill it in or delete the line.");
            if (columns.Any(column => column.Length > LongestText))
                throw new BrumaException($"{path}, line {line}: a text has {columns.Max(column => column.Length)} characters; at most {LongestText} are possible.");
            examples.Add(new SequenceExample(columns[0].Trim(), columns[1].Trim()));
        }
        return new TabSeparatedTask(path, examples);
    }

    public override SequenceExample Training(long seed, long index) => _training[ShuffledOrder.At(seed, index, _training.Length)];

    public override IReadOnlyList<SequenceExample> HeldOut(int count) => [.. _heldOut.Take(count)];

    private static long ContentOf(string text) => text.Aggregate(0L, (hash, letter) => (long)HashedSeed.Of(hash, letter));
}
