namespace Bruma;

/// <summary>What a misspelt name may have meant.</summary>
public static class Spelling
{
    /// <returns>The candidate that takes the fewest insertions, deletions and replacements; null when even that is half another word.</returns>
    public static string? Nearest(string name, IEnumerable<string> candidates)
    {
        var best = candidates.Select(candidate => (candidate, edits: Edits(name.ToLowerInvariant(), candidate.ToLowerInvariant()))).OrderBy(pair => pair.edits).FirstOrDefault();
        return best.candidate is not null && best.edits <= Math.Max(1, name.Length / 3) ? best.candidate : null;
    }

    /// <summary>Levenshtein's distance.</summary>
    private static int Edits(string a, string b)
    {
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var row = new int[b.Length + 1];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                row[j] = Math.Min(Math.Min(row[j - 1], previous[j]) + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            previous = row;
        }
        return previous[b.Length];
    }
}
