using Bruma.Nn;

namespace Bruma.Recipes.Finetuning;

/// <summary>Examples with classes, divided into those to train on, to watch by and to report on.</summary>
/// <param name="Classes">Names in order.</param>
/// <param name="Labels">Class of each example.</param>
public sealed record LabelledSplits(IReadOnlyList<string> Classes, IReadOnlyList<int> Labels)
{
    private readonly Dictionary<Split, IReadOnlyList<int>> _examples = [];

    public IReadOnlyList<int> Of(Split split) => _examples.GetValueOrDefault(split, []);

    /// <summary>Divides the examples by shares within each class; the same for the same seed.</summary>
    /// <param name="firstTest">Index from which on the examples are a test set of their own; null to take a share.</param>
    /// <exception cref="BrumaException">There is one class only, or a split would lack a class.</exception>
    public static LabelledSplits Create(IReadOnlyList<string> classes, IReadOnlyList<int> labels, int? firstTest, FinetuneOptions options)
    {
        if (classes.Count < 2)
            throw new BrumaException($"{options.Data}: every example has the label \"{(classes.Count == 0 ? "" : classes[0])}\"; a classifier needs two classes or more.");
        var splits = new LabelledSplits(classes, labels);
        var (train, validation, test) = (new List<int>(), new List<int>(), new List<int>());
        var rest = firstTest ?? labels.Count;
        foreach (var (label, members) in Enumerable.Range(0, rest).GroupBy(example => labels[example]).OrderBy(group => group.Key).Select(group => (group.Key, Members: Shuffled(group, options.Seed))))
        {
            var forTest = firstTest is null ? (int)Math.Round(members.Count * options.TestShare) : 0;
            var forValidation = (int)Math.Round((members.Count - forTest) * options.ValidationShare);
            if (members.Count - forTest - forValidation < 1)
                throw new BrumaException($"{options.Data}: the class \"{classes[label]}\" has {members.Count} example{(members.Count == 1 ? "" : "s")}, too few to train on after the split; add some or lower --test-share and --validation-share.");
            test.AddRange(members[..forTest]);
            validation.AddRange(members[forTest..(forTest + forValidation)]);
            train.AddRange(members[(forTest + forValidation)..]);
        }
        if (firstTest is { } first)
            test.AddRange(Enumerable.Range(first, labels.Count - first));
        foreach (var (split, members) in new[] { (Split.Train, train), (Split.Validation, validation), (Split.Test, test) })
            splits._examples[split] = [.. members.Order()];
        return splits;
    }

    /// <summary>Weights of the classes that make all count alike: n / (K n_k).</summary>
    public IReadOnlyList<double> BalancedWeights()
    {
        var counts = Of(Split.Train).CountBy(example => Labels[example]).ToDictionary();
        return [.. Classes.Select((_, label) => counts.TryGetValue(label, out var count) ? (double)Of(Split.Train).Count / (Classes.Count * count) : 0)];
    }

    private static List<int> Shuffled(IEnumerable<int> examples, long seed) => [.. examples.OrderBy(example => HashedSeed.Of(seed, 4, example))];
}
