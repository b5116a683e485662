using Bruma.Hub;

namespace Bruma.Transformers;

/// <summary>How names differ between a network alone and within a network with a head, and between old checkpoints and new ones.</summary>
internal static class BaseWeights
{
    /// <summary>Norms of the first checkpoints have gamma and beta.</summary>
    public static WeightOptions Legacy { get; } = new(Modern);

    /// <summary>For a network alone, whose checkpoint may be that of a network with a head.</summary>
    /// <param name="prefix">What the names begin with there.</param>
    /// <param name="heads">What the names of heads begin with: they are left out.</param>
    public static WeightOptions Of(string prefix, params string[] heads) => new(
        name => Modern(name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name),
        name => Array.Exists(heads, head => name.StartsWith(head, StringComparison.Ordinal)));

    private static string Modern(string name) => name.EndsWith(".gamma", StringComparison.Ordinal) ? $"{name[..^6]}.weight" : name.EndsWith(".beta", StringComparison.Ordinal) ? $"{name[..^5]}.bias" : name;
}
