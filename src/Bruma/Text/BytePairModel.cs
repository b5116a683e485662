using System.Text;

namespace Bruma.Text;

/// <summary>Options of <see cref="BytePairModel"/>, by the names of tokenizer.json.</summary>
/// <param name="Unknown">Token for characters that the vocabulary lacks; null drops them.</param>
/// <param name="FuseUnknown">Whether neighbouring unknown characters are one token.</param>
/// <param name="ByteFallback">Whether unknown characters become their bytes <c>&lt;0xNN&gt;</c>.</param>
/// <param name="IgnoreMerges">Whether a piece that is in the vocabulary is taken whole.</param>
/// <param name="ContinuingPrefix">What begins every character but the first.</param>
/// <param name="EndSuffix">What ends the last character, such as CLIP's <c>&lt;/w&gt;</c>.</param>
internal sealed record BytePairOptions(
    string? Unknown = null,
    bool FuseUnknown = false,
    bool ByteFallback = false,
    bool IgnoreMerges = false,
    string ContinuingPrefix = "",
    string EndSuffix = "");

/// <summary>Joins the pair of neighbours that was learned first until no known pair is left (Sennrich et al. 2016, arXiv:1508.07909).</summary>
internal sealed class BytePairModel : ITokenModel
{
    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Joined)> _merges = [];
    private readonly BytePairOptions _options;
    private readonly int? _unknown;
    private readonly int[]? _bytes;

    /// <param name="merges">In the order in which they were learned.</param>
    /// <exception cref="BrumaException">A merge names a token that the vocabulary lacks.</exception>
    public BytePairModel(Dictionary<string, int> vocabulary, IEnumerable<(string Left, string Right)> merges, BytePairOptions options)
    {
        (_vocabulary, _options) = (vocabulary, options);
        foreach (var (left, right) in merges)
        {
            var joined = left + (options.ContinuingPrefix.Length > 0 && right.StartsWith(options.ContinuingPrefix, StringComparison.Ordinal) ? right[options.ContinuingPrefix.Length..] : right);
            if (!vocabulary.TryGetValue(left, out var l) || !vocabulary.TryGetValue(right, out var r) || !vocabulary.TryGetValue(joined, out var id))
                throw new BrumaException($"The merge \"{left} {right}\" names tokens that the vocabulary lacks; the files do not belong together.");
            _merges.TryAdd((l, r), (_merges.Count, id));
        }
        _unknown = options.Unknown is not null && vocabulary.TryGetValue(options.Unknown, out var unknown) ? unknown : null;
        _bytes = options.ByteFallback ? ByteAlphabet.FallbackIds(vocabulary) : null;
    }

    public IReadOnlyDictionary<string, int> Vocabulary => _vocabulary;

    public void Encode(string piece, List<int> ids)
    {
        if (_options.IgnoreMerges && _vocabulary.TryGetValue(piece, out var whole))
            ids.Add(whole);
        else if (piece.Length > 0)
            Join(Characters(piece), ids);
    }

    private List<int> Characters(string piece)
    {
        var symbols = new List<int>(piece.Length);
        var afterUnknown = false;
        var at = 0;
        foreach (var rune in piece.EnumerateRunes())
        {
            var character = rune.ToString();
            var name = (at == 0 ? "" : _options.ContinuingPrefix) + character + ((at += character.Length) == piece.Length ? _options.EndSuffix : "");
            var known = _vocabulary.TryGetValue(name, out var id);
            if (known)
                symbols.Add(id);
            else if (_bytes is not null)
                symbols.AddRange(Encoding.UTF8.GetBytes(character).Select(value => _bytes[value]));
            else if (_unknown is { } unknown && !(afterUnknown && _options.FuseUnknown))
                symbols.Add(unknown);
            afterUnknown = !known;
        }
        return symbols;
    }

    /// <summary>A list of neighbours and a queue of known pairs: the time grows with n log n, since some vocabularies take a whole text as one piece.</summary>
    private void Join(List<int> symbols, List<int> ids)
    {
        var next = Enumerable.Range(1, symbols.Count).ToArray();
        var previous = Enumerable.Range(-1, symbols.Count).ToArray();
        var queue = new PriorityQueue<(int At, int Left, int Right), (int Rank, int At)>();
        for (var i = 0; i + 1 < symbols.Count; i++)
            Offer(i);

        while (queue.TryDequeue(out var pair, out _))
        {
            var right = symbols[pair.At] == pair.Left ? next[pair.At] : symbols.Count;
            if (right >= symbols.Count || symbols[right] != pair.Right)
                continue; // one of the two has been joined since
            symbols[pair.At] = _merges[(pair.Left, pair.Right)].Joined;
            symbols[right] = -1;
            next[pair.At] = next[right];
            if (next[right] < symbols.Count)
                previous[next[right]] = pair.At;
            Offer(pair.At);
            if (previous[pair.At] >= 0)
                Offer(previous[pair.At]);
        }
        ids.AddRange(symbols.Where(symbol => symbol >= 0));

        void Offer(int at)
        {
            if (next[at] < symbols.Count && _merges.TryGetValue((symbols[at], symbols[next[at]]), out var merge))
                queue.Enqueue((at, symbols[at], symbols[next[at]]), (merge.Rank, at));
        }
    }
}
