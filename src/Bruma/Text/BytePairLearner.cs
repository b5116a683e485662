namespace Bruma.Text;

/// <summary>Learns which neighbours to join: the commonest pair becomes a symbol, again and again.</summary>
/// <remarks>Sennrich, Haddow and Birch 2016, arXiv:1508.07909. Words are counted once, and a merge touches only the words that have the pair. Of equally common
/// pairs the one whose symbols are older comes first, so the result depends on the text alone.</remarks>
internal sealed class BytePairLearner
{
    private readonly List<(List<int> Symbols, long Count)> _words = [];
    private readonly Dictionary<(int Left, int Right), long> _counts = [];
    private readonly Dictionary<(int Left, int Right), HashSet<int>> _places = [];
    private readonly PriorityQueue<(int Left, int Right), (long Rarity, int Left, int Right)> _queue = new();

    /// <param name="words">Each as symbols, with how often it occurs.</param>
    public BytePairLearner(IEnumerable<(IEnumerable<int> Symbols, long Count)> words)
    {
        foreach (var (symbols, count) in words)
        {
            _words.Add(([.. symbols], count));
            Count(_words.Count - 1, 1);
        }
        foreach (var pair in _counts.Keys)
            Offer(pair);
    }

    /// <summary>Learns merges; the n-th makes the symbol first + n.</summary>
    /// <param name="first">The number of symbols there are.</param>
    /// <param name="minFrequency">Rarer pairs are not joined.</param>
    public IEnumerable<(int Left, int Right)> Learn(int first, int merges, long minFrequency)
    {
        for (var symbol = first; symbol < first + merges && Best() is { } best && _counts[best] >= minFrequency; symbol++)
        {
            Merge(best, symbol);
            yield return best;
        }
    }

    private (int Left, int Right)? Best()
    {
        while (_queue.TryDequeue(out var pair, out var priority))
            if (_counts.TryGetValue(pair, out var count) && count > 0)
            {
                if (count == -priority.Rarity)
                    return pair;
                Offer(pair); // it has become rarer since
            }
        return null;
    }

    private void Merge((int Left, int Right) pair, int symbol)
    {
        var places = _places[pair].Order().ToArray();
        var changed = new HashSet<(int Left, int Right)>();
        foreach (var word in places)
        {
            changed.UnionWith(Count(word, -1));
            var symbols = _words[word].Symbols;
            var kept = 0;
            for (var i = 0; i < symbols.Count; i++)
                if (i + 1 < symbols.Count && symbols[i] == pair.Left && symbols[i + 1] == pair.Right)
                    (symbols[kept++], i) = (symbol, i + 1);
                else
                    symbols[kept++] = symbols[i];
            symbols.RemoveRange(kept, symbols.Count - kept);
            changed.UnionWith(Count(word, 1));
        }
        _counts.Remove(pair);
        _places.Remove(pair);
        foreach (var other in changed)
            if (_counts.ContainsKey(other))
                Offer(other);
    }

    /// <summary>Adds or removes the pairs of a word.</summary>
    private List<(int Left, int Right)> Count(int word, int sign)
    {
        var (symbols, count) = _words[word];
        var pairs = new List<(int Left, int Right)>(symbols.Count);
        for (var i = 0; i + 1 < symbols.Count; i++)
        {
            var pair = (symbols[i], symbols[i + 1]);
            pairs.Add(pair);
            _counts[pair] = _counts.GetValueOrDefault(pair) + sign * count;
            if (!_places.TryGetValue(pair, out var places))
                _places[pair] = places = [];
            if (sign > 0)
                places.Add(word);
            else
                places.Remove(word);
        }
        return pairs;
    }

    private void Offer((int Left, int Right) pair) => _queue.Enqueue(pair, (-_counts[pair], pair.Left, pair.Right));
}
