using System.Text;

namespace Bruma.Text;

/// <summary>Turns one stretch of text, already normalised and split, into tokens of a vocabulary.</summary>
internal interface ITokenModel
{
    /// <summary>Ids by token.</summary>
    IReadOnlyDictionary<string, int> Vocabulary { get; }

    void Encode(string piece, List<int> ids);
}

/// <summary>BERT's greedy longest match; what continues a word has a prefix.</summary>
internal sealed class WordPieceModel(Dictionary<string, int> vocabulary, string unknown, string prefix, int longestWord) : ITokenModel
{
    private readonly int _unknown = vocabulary.TryGetValue(unknown, out var id) ? id : throw new BrumaException($"The vocabulary lacks the unknown token \"{unknown}\"; correct \"unk_token\".");

    public IReadOnlyDictionary<string, int> Vocabulary => vocabulary;

    public void Encode(string piece, List<int> ids)
    {
        var start = ids.Count;
        if (piece.EnumerateRunes().Count() > longestWord || !TryEncode(piece, ids))
        {
            ids.RemoveRange(start, ids.Count - start);
            ids.Add(_unknown);
        }
    }

    private bool TryEncode(string piece, List<int> ids)
    {
        for (var at = 0; at < piece.Length;)
        {
            var end = piece.Length;
            while (end > at && !vocabulary.ContainsKey(Candidate(piece, at, end)))
                end--;
            if (end == at)
                return false;
            ids.Add(vocabulary[Candidate(piece, at, end)]);
            at = end;
        }
        return true;
    }

    private string Candidate(string piece, int at, int end) => at == 0 ? piece[..end] : string.Concat(prefix, piece.AsSpan(at, end - at));
}

/// <summary>Whole pieces or the unknown token.</summary>
internal sealed class WordLevelModel(Dictionary<string, int> vocabulary, string unknown) : ITokenModel
{
    public IReadOnlyDictionary<string, int> Vocabulary => vocabulary;

    public void Encode(string piece, List<int> ids)
    {
        if (vocabulary.TryGetValue(piece, out var id) || vocabulary.TryGetValue(unknown, out id))
            ids.Add(id);
    }
}

/// <summary>SentencePiece's unigram language model: the most probable segmentation (Kudo 2018, arXiv:1804.10959).</summary>
internal sealed class UnigramModel : ITokenModel
{
    /// <summary>How much less probable than the rarest piece an unknown character is, as a logarithm.</summary>
    private const double UnknownPenalty = 10;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly double[] _scores;
    private readonly int? _unknown;
    private readonly int _longest;
    private readonly int[]? _bytes;

    /// <param name="pieces">With the logarithms of their probabilities, by id.</param>
    public UnigramModel(IReadOnlyList<(string Piece, double Score)> pieces, int? unknown, bool byteFallback)
    {
        for (var i = 0; i < pieces.Count; i++)
            _ids[pieces[i].Piece] = i;
        _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _scores = [.. pieces.Select(piece => piece.Score)];
        _unknown = unknown;
        _longest = pieces.Count == 0 ? 0 : pieces.Max(piece => piece.Piece.Length);
        _bytes = byteFallback ? ByteAlphabet.FallbackIds(_ids) : null;
    }

    public IReadOnlyDictionary<string, int> Vocabulary => _ids;

    public void Encode(string piece, List<int> ids)
    {
        var path = BestPath(piece);
        var pieces = new List<(int Start, int End, int Id)>();
        for (var end = piece.Length; end > 0; end = path[end].Start)
            pieces.Add((path[end].Start, end, path[end].Id));
        pieces.Reverse();
        for (var i = 0; i < pieces.Count; i++)
            if (pieces[i].Id >= 0)
                ids.Add(pieces[i].Id);
            else if (_bytes is not null)
                ids.AddRange(Encoding.UTF8.GetBytes(piece[pieces[i].Start..pieces[i].End]).Select(value => _bytes[value]));
            else if (i == 0 || pieces[i - 1].Id >= 0) // neighbouring unknown characters are one token
                ids.Add(_unknown ?? throw new BrumaException($"The vocabulary has no token for \"{piece}\" and names no unknown token; correct \"unk_id\"."));
    }

    /// <summary>For each end of a piece where the best last piece before it starts; its id is -1 for an unknown character.</summary>
    private (int Start, int Id)[] BestPath(string text)
    {
        var best = new (double Score, int Start, int Id)[text.Length + 1];
        Array.Fill(best, (double.NegativeInfinity, -1, -1));
        best[0].Score = 0;
        var unknownScore = (_scores.Length == 0 ? 0 : _scores.Min()) - UnknownPenalty;
        for (var start = 0; start < text.Length;)
        {
            var character = char.IsHighSurrogate(text[start]) ? 2 : 1;
            var known = false;
            for (var length = 1; length <= _longest && start + length <= text.Length; length++)
                if (_lookup.TryGetValue(text.AsSpan(start, length), out var id) && id != _unknown)
                {
                    Offer(start + length, best[start].Score + _scores[id], start, id);
                    known |= length == character;
                }
            if (!known)
                Offer(start + character, best[start].Score + unknownScore, start, -1);
            start += character;
        }
        return [.. best.Select(node => (node.Start, node.Id))];

        void Offer(int end, double score, int start, int id)
        {
            if (best[end].Start < 0 || score > best[end].Score)
                best[end] = (score, start, id);
        }
    }
}
