using System.Globalization;
using Bruma.Hub;

namespace Bruma.Cli;

/// <summary>A class as a person writes it: its name in any case, a part of the name that fits one class only, or its index.</summary>
internal static class ClassNames
{
    private const int MostListed = 40;
    private const int Examples = 5;

    public static long? Resolve(string? text, ModelDefaults defaults, int? rows)
    {
        if (text is null)
            return null;
        if (rows is null)
            throw new UsageException("the model has no classes; leave --class out.");
        var count = defaults.Classes?.Count ?? rows.Value;
        if (long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var index))
            return index >= 0 && index < count ? index : throw new UsageException($"--class {index}: the model has the classes 0 to {count - 1}.");

        var names = defaults.Classes ?? throw new UsageException($"--class {text}: the model has no class names; give an index from 0 to {count - 1}.");
        var exact = Matching(names, name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase));
        var found = exact.Count == 1 ? exact : Matching(names, name => name.Contains(text, StringComparison.OrdinalIgnoreCase));
        return found.Count == 1
            ? found[0]
            : throw new UsageException($"--class {text}: {(found.Count == 0 ? "no such class" : "fits several classes")}; the model has {Listed(names)}.");
    }

    /// <summary>The names in a sentence; of very many the first ones.</summary>
    public static string Listed(IReadOnlyList<string> names) =>
        names.Count <= MostListed ? string.Join(", ", names) : $"{names.Count} classes, such as {string.Join("; ", names.Take(Examples))}";

    private static List<int> Matching(IReadOnlyList<string> names, Func<string, bool> fits) => [.. Enumerable.Range(0, names.Count).Where(i => fits(names[i]))];
}
