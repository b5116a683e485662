namespace Bruma.Transformers.Embeddings;

/// <summary>What a head looks at, as mean shares of its attention over the tokens of sentences; special tokens ask nothing here.</summary>
/// <param name="Previous">At the token before.</param>
/// <param name="Next">At the token behind.</param>
/// <param name="Self">At the token itself.</param>
/// <param name="Delimiter">At [CLS] and [SEP].</param>
/// <param name="SameWord">At other places of the same word, over the tokens that have such; NaN when none has.</param>
/// <param name="Entropy">Of the attention in bits, as a share of the most that the length allows.</param>
public sealed record HeadRole(int Layer, int Head, double Previous, double Next, double Self, double Delimiter, double SameWord, double Entropy)
{
    private const double Clear = 0.3;

    /// <summary>The largest share by name; <c>broad</c> when none reaches 30 %.</summary>
    public string Name
    {
        get
        {
            var (name, share) = Shares.Where(pair => !double.IsNaN(pair.Share)).MaxBy(pair => pair.Share);
            return share >= Clear ? name : "broad";
        }
    }

    public IReadOnlyList<(string Name, double Share)> Shares =>
        [("previous token", Previous), ("next token", Next), ("itself", Self), ("delimiter", Delimiter), ("same word", SameWord)];
}

/// <summary>Measures the roles of heads (Clark et al. 2019, arXiv:1906.04341).</summary>
public static class AttentionRoles
{
    /// <summary>Sentences with repeated words, over which roles mean more than over one.</summary>
    public static IReadOnlyList<string> Probes { get; } =
    [
        "The cat chased the mouse because the mouse had stolen the cheese.",
        "She put the book on the shelf, and the shelf fell on the floor.",
        "A doctor asked the other doctor about the new patient.",
        "When the rain stopped, the children ran out; when the rain began, the children ran in.",
        "He plays the piano, she plays the violin, and they play together on Sundays.",
        "The company sold the factory to another company last year.",
        "If you open the window, the bird will fly out of the window.",
        "The old bridge was stronger than the new bridge.",
        "My brother's friend is the friend of my sister, too.",
        "Every student read one book, but no student read every book.",
        "The train to Madrid left before the train to Paris arrived.",
        "First add the sugar, then stir the sugar into the milk.",
    ];

    /// <returns>One per head, layer by layer.</returns>
    public static IReadOnlyList<HeadRole> Of(IReadOnlyList<AttentionMaps> sentences)
    {
        var roles = new List<HeadRole>();
        var weights = sentences.Select(sentence => (sentence.Tokens, Values: sentence.Weights.data<float>().ToArray())).ToList();
        for (var layer = 0; layer < sentences[0].Layers; layer++)
            for (var head = 0; head < sentences[0].Heads; head++)
            {
                var sums = new Sums();
                foreach (var (tokens, values) in weights)
                    sums.Add(tokens, values.AsSpan((layer * sentences[0].Heads + head) * tokens.Count * tokens.Count, tokens.Count * tokens.Count));
                roles.Add(sums.Role(layer, head));
            }
        return roles;
    }

    private static bool IsDelimiter(string token) => token is "[CLS]" or "[SEP]" or "<s>" or "</s>";

    private sealed class Sums
    {
        private double _previous, _next, _self, _delimiter, _same, _entropy;
        private int _queries, _repeated;

        public void Add(IReadOnlyList<string> tokens, ReadOnlySpan<float> map)
        {
            for (var query = 0; query < tokens.Count; query++)
                if (!IsDelimiter(tokens[query]))
                    Add(tokens, map.Slice(query * tokens.Count, tokens.Count), query);
        }

        public HeadRole Role(int layer, int head)
        {
            var n = Math.Max(1, _queries);
            return new HeadRole(layer, head, _previous / n, _next / n, _self / n, _delimiter / n, _repeated == 0 ? double.NaN : _same / _repeated, _entropy / n);
        }

        private void Add(IReadOnlyList<string> tokens, ReadOnlySpan<float> row, int query)
        {
            _queries++;
            _previous += IsDelimiter(tokens[query - 1]) ? 0 : row[query - 1];
            _next += IsDelimiter(tokens[query + 1]) ? 0 : row[query + 1];
            _self += row[query];
            var (same, found) = (0.0, false);
            for (var key = 0; key < tokens.Count; key++)
            {
                if (IsDelimiter(tokens[key]))
                    _delimiter += row[key];
                else if (key != query && tokens[key] == tokens[query])
                    (same, found) = (same + row[key], true);
                if (row[key] > 0)
                    _entropy -= row[key] * Math.Log2(row[key]) / Math.Log2(tokens.Count);
            }
            if (!found)
                return;
            _same += same;
            _repeated++;
        }
    }
}
