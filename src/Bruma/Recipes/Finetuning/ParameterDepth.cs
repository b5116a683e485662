using System.Globalization;
using System.Text.RegularExpressions;

namespace Bruma.Recipes.Finetuning;

/// <summary>How deep in its network a parameter lies, by its name.</summary>
internal static partial class ParameterDepth
{
    private static readonly string[] Lowest = ["embed", "wte", "wpe", "_conv_stem", "cls_token"];

    /// <returns>0 for embeddings and stem, i + 1 for layer i, <paramref name="layers"/> for what closes the last layer, <paramref name="layers"/> + 1 for the head.</returns>
    public static int Of(string name, int layers, IReadOnlyList<string> head)
    {
        if (head.Any(name.Contains))
            return layers + 1;
        if (Layer().Match(name) is { Success: true } match)
            return Math.Min(layers, int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) + 1);
        return Lowest.Any(name.Contains) || name.Contains("._bn0", StringComparison.Ordinal) || name.StartsWith("_bn0", StringComparison.Ordinal) ? 0 : layers;
    }

    [GeneratedRegex(@"(?:^|\.)(?:layer|layers|h|_blocks)\.([0-9]+)\.")]
    private static partial Regex Layer();
}
