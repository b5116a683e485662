using System.Globalization;

namespace Bruma.Recipes.Finetuning;

/// <summary>Which parameters are trained, and when.</summary>
/// <param name="Name">As the user writes it.</param>
/// <param name="FirstDepth">The lowest depth that is trained: 0 for embeddings, i + 1 for layer i, layers + 1 for the head; null for the head alone.</param>
/// <param name="FromTop">Counts <paramref name="FirstDepth"/> as layers from the top.</param>
/// <param name="IsClosedForm">The head is fitted to its optimum instead of trained by steps.</param>
/// <param name="UsesLora">Low-rank updates beside frozen layers.</param>
/// <param name="Unfreezes">Layer by layer from the top.</param>
/// <param name="LayerDecay">Factor on the rate per layer downwards where the options have none.</param>
/// <param name="LearningRate">Where the options have none.</param>
public sealed record Strategy(string Name, int? FirstDepth, double LearningRate, bool FromTop = false, bool IsClosedForm = false, bool UsesLora = false, bool Unfreezes = false, double LayerDecay = 1)
{
    /// <summary>Whether the network below the head never changes, so that its vectors are computed once.</summary>
    public bool FreezesEncoder => FirstDepth is null && !UsesLora;

    /// <summary>Whether a parameter of this depth is trained at all.</summary>
    public bool Trains(int depth, int layers) => depth > layers || FirstDepth is { } first && depth >= (FromTop ? layers + 1 - first : first);
}

/// <summary>The strategies by name.</summary>
public static class Strategies
{
    private const string LastPrefix = "last-";

    private static readonly Strategy[] All =
    [
        new("probe", null, 0, IsClosedForm: true),
        new("head", null, 1e-2),
        new("full", 0, 1e-4),
        new("lora", null, 1e-3, UsesLora: true),
        new("gradual", 0, 1e-4, Unfreezes: true),
        new("layerwise", 0, 2e-4, LayerDecay: 0.8),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(strategy => strategy.Name), "last-N"];

    /// <exception cref="BrumaException">There is no such strategy.</exception>
    public static Strategy Parse(string name)
    {
        if (Array.Find(All, known => known.Name == name) is { } strategy)
            return strategy;
        if (name.StartsWith(LastPrefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(LastPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var layers) && layers > 0)
            return new Strategy(name, layers, 1e-4, FromTop: true);
        throw new BrumaException($"--strategy {name}: no such strategy; known are {string.Join(", ", Names)} (last-2 trains the last two layers).");
    }
}
