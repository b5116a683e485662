namespace Bruma.Text;

/// <summary>Learns a byte-level vocabulary from texts: the pair of neighbours that occurs most often becomes a token, over and over.</summary>
/// <remarks>Sennrich et al. 2016, arXiv:1508.07909. Among equally frequent pairs the first in ordinal order is taken, so equal texts give equal files.</remarks>
public static class BytePairTrainer
{
    /// <summary>A vocabulary in CLIP's style: lower case, the last letter of a word marked with <c>&lt;/w&gt;</c>, begin and end token last.</summary>
    /// <param name="texts">What to learn from; a text that occurs twice counts twice.</param>
    /// <param name="size">Tokens in all: 512 letters, the merges, and two special tokens.</param>
    /// <param name="minFrequency">Rarer pairs are not joined, even when the vocabulary then stays smaller.</param>
    public static BytePairVocabulary Clip(IEnumerable<string> texts, int size, int minFrequency = 2)
    {
        string[] special = ["<|startoftext|>", "<|endoftext|>"];
        string[] letters = [.. ByteAlphabet.Ordered, .. ByteAlphabet.Ordered.Select(letter => letter + ClipTokenizerRules.WordEnd)];
        return Learn(Count(texts.SelectMany(ClipTokenizerRules.Splitter())), letters, special, (size, minFrequency, ClipTokenizerRules.WordEnd));
    }

    /// <summary>A vocabulary in GPT-2's style: spaces belong to the word behind them.</summary>
    /// <param name="size">Tokens in all: 256 letters, the merges, and one special token.</param>
    /// <inheritdoc cref="Clip"/>
    public static BytePairVocabulary Gpt2(IEnumerable<string> texts, int size, int minFrequency = 2)
    {
        var split = PreTokenizers.ByteLevel(false, useRegex: true);
        return Learn(Count(texts.SelectMany(text => split(text, true))), [.. ByteAlphabet.Ordered], ["<|endoftext|>"], (size, minFrequency, ""));
    }

    private static Dictionary<string, int> Count(IEnumerable<string> pieces)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var piece in pieces)
            counts[piece] = counts.GetValueOrDefault(piece) + 1;
        return counts;
    }

    private static BytePairVocabulary Learn(Dictionary<string, int> pieces, string[] letters, string[] special, (int Size, int MinFrequency, string Suffix) options)
    {
        if (options.Size < letters.Length + special.Length)
            throw new BrumaException($"a vocabulary of {options.Size} tokens is too small: the letters and special tokens are {letters.Length + special.Length} already.");
        var words = pieces.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new Word(Symbols(pair.Key, options.Suffix), pair.Value)).ToList();
        var pairs = new PairCounts(words);
        var merges = new List<(string Left, string Right)>();
        var tokens = new List<string>(letters);
        var known = tokens.ToHashSet(StringComparer.Ordinal);
        while (tokens.Count + special.Length < options.Size && pairs.Best() is { } best && best.Count >= options.MinFrequency)
        {
            merges.Add(best.Pair);
            if (known.Add(best.Pair.Left + best.Pair.Right)) // two pairs can spell the same token
                tokens.Add(best.Pair.Left + best.Pair.Right);
            pairs.Join(best.Pair);
        }
        return new BytePairVocabulary([.. tokens, .. special], merges, special);
    }

    private static List<string> Symbols(string piece, string suffix) =>
        [.. piece.Select((letter, i) => i == piece.Length - 1 ? letter + suffix : letter.ToString())];

    private sealed record Word(List<string> Symbols, int Count);

    /// <summary>How often each pair occurs and in which words.</summary>
    private sealed class PairCounts
    {
        private readonly List<Word> _words;
        private readonly Dictionary<(string Left, string Right), int> _counts = [];
        private readonly Dictionary<(string Left, string Right), HashSet<int>> _places = [];

        public PairCounts(List<Word> words)
        {
            _words = words;
            for (var i = 0; i < words.Count; i++)
                Add(i, 1);
        }

        public ((string Left, string Right) Pair, int Count)? Best()
        {
            ((string Left, string Right) Pair, int Count)? best = null;
            foreach (var (pair, count) in _counts)
                if (best is null || count > best.Value.Count || (count == best.Value.Count && Before(pair, best.Value.Pair)))
                    best = (pair, count);
            return best;
        }

        public void Join((string Left, string Right) pair)
        {
            foreach (var i in _places[pair].ToArray())
            {
                Add(i, -1);
                var symbols = _words[i].Symbols;
                for (var at = 0; at + 1 < symbols.Count; at++)
                    if (symbols[at] == pair.Left && symbols[at + 1] == pair.Right)
                    {
                        symbols[at] += symbols[at + 1];
                        symbols.RemoveAt(at + 1);
                    }
                Add(i, 1);
            }
        }

        private void Add(int word, int sign)
        {
            var (symbols, count) = _words[word];
            for (var at = 0; at + 1 < symbols.Count; at++)
            {
                var pair = (symbols[at], symbols[at + 1]);
                var total = _counts[pair] = _counts.GetValueOrDefault(pair) + sign * count;
                if (total == 0)
                    _counts.Remove(pair);
                if (!_places.TryGetValue(pair, out var places))
                    _places[pair] = places = [];
                if (sign > 0)
                    places.Add(word);
                else
                    places.Remove(word);
            }
        }

        private static bool Before((string Left, string Right) a, (string Left, string Right) b) =>
            string.CompareOrdinal(a.Left, b.Left) is var order && order != 0 ? order < 0 : string.CompareOrdinal(a.Right, b.Right) < 0;
    }
}
