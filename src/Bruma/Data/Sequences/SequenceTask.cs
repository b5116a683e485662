using Bruma.Nn;

namespace Bruma.Data.Sequences;

/// <summary>One text and what it is to become.</summary>
public sealed record SequenceExample(string Source, string Target);

/// <summary>What an encoder-decoder learns: pairs of texts, without end for training, and others that it never sees in training.</summary>
public abstract class SequenceTask(string name, string description)
{
    /// <summary>One example in so many is held out, chosen by its content.</summary>
    protected const ulong HeldOutShare = 10;

    private const long HeldOutSeed = 0x4E7;

    public string Name { get; } = name;

    /// <summary>What is to be learned, for people.</summary>
    public string Description { get; } = description;

    /// <summary>All characters that may occur.</summary>
    public abstract IEnumerable<string> Characters { get; }

    /// <summary>Greatest number of characters of a target, for writing one.</summary>
    public virtual int LongestTarget => 64;

    /// <summary>The names of the tasks that come with Bruma.</summary>
    public static IReadOnlyList<string> Names { get; } = ["dates", "numbers-es", "copy", "reverse", "sort"];

    /// <param name="name">One of <see cref="Names"/>, or a file of two columns, source and target, separated by tabs.</param>
    /// <exception cref="BrumaException">There is no such task or file, or the file has no pairs.</exception>
    public static SequenceTask Open(string name) => name switch
    {
        "dates" => new DateTask(),
        "numbers-es" => new SpanishNumberTask(),
        "copy" or "reverse" or "sort" => new ShuffleTask(name),
        _ when File.Exists(name) => TabSeparatedTask.Read(name),
        _ => throw new BrumaException($"{name}: no such task and no such file; give one of {string.Join(", ", Names)}, or a file with source, tab and target on each line."),
    };

    /// <summary>Training example <paramref name="index"/> of an endless stream, a pure function of seed and index.</summary>
    public abstract SequenceExample Training(long seed, long index);

    /// <summary>The first examples that training never sees.</summary>
    public abstract IReadOnlyList<SequenceExample> HeldOut(int count);

    /// <summary>Whether content with this number is held out.</summary>
    protected static bool IsHeldOut(long content) => HashedSeed.Of(HeldOutSeed, content) % HeldOutShare == 0;

    /// <summary>The n-th draw of a place, uniform from 0 to below <paramref name="below"/>.</summary>
    protected static int Draw(long seed, long index, int n, int below) => (int)(HashedSeed.Of(seed, 11, index, n) % (ulong)below);
}
