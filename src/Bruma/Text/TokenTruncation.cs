namespace Bruma.Text;

/// <summary>Shortens one text or two to a common length.</summary>
internal static class TokenTruncation
{
    /// <param name="limit">Tokens of both together, without special ones.</param>
    /// <param name="fromLeft">Whether the beginning goes instead of the end.</param>
    /// <exception cref="BrumaException">The text that may be cut is too short for it.</exception>
    public static void Cut(List<int> first, List<int>? second, int limit, Truncation truncation, bool fromLeft)
    {
        var excess = first.Count + (second?.Count ?? 0) - Math.Max(0, limit);
        if (excess <= 0)
            return;
        var (keepFirst, keepSecond) = truncation switch
        {
            Truncation.OnlyFirst => (first.Count - excess, second?.Count ?? 0),
            Truncation.OnlySecond when second is not null => (first.Count, second.Count - excess),
            Truncation.LongestFirst => Shares(first.Count, second?.Count ?? 0, Math.Max(0, limit)),
            _ => (first.Count, second?.Count ?? 0),
        };
        if (keepFirst < 0 || keepSecond < 0)
            throw new BrumaException($"The text has too few tokens to become {excess} shorter; allow more tokens or cut the other text too.");
        Keep(first, keepFirst, fromLeft);
        if (second is not null)
            Keep(second, keepSecond, fromLeft);
    }

    /// <summary>What is left when the longer one always loses a token; of equally long ones the second keeps the odd token.</summary>
    private static (int First, int Second) Shares(int first, int second, int limit)
    {
        var swapped = first > second;
        var (shorter, longer) = swapped ? (second, first) : (first, second);
        longer = shorter > limit ? shorter : Math.Max(shorter, limit - shorter);
        if (shorter + longer > limit)
            (shorter, longer) = (limit / 2, limit / 2 + limit % 2);
        return swapped ? (longer, shorter) : (shorter, longer);
    }

    private static void Keep(List<int> ids, int count, bool fromLeft)
    {
        if (ids.Count > count)
            ids.RemoveRange(fromLeft ? 0 : count, ids.Count - count);
    }
}
