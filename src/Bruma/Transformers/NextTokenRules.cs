using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>What changes the scores of the next token: first rules that forbid or discourage, then those that shape what is drawn from.</summary>
public static class NextTokenRules
{
    /// <summary>Repetition, repeated sequences, bad words, and ends that come too soon.</summary>
    /// <param name="scores">[B, V].</param>
    /// <param name="texts">The tokens of each row so far, prompt included.</param>
    /// <param name="promptLength">How many of them were given.</param>
    /// <returns>[B, V], -inf for what is forbidden.</returns>
    public static Tensor Constrain(Tensor scores, IReadOnlyList<IReadOnlyList<long>> texts, int promptLength, GenerationOptions options)
    {
        using var scope = NewDisposeScope();
        if (options.RepetitionPenalty != 1)
            scores = Penalize(scores, texts, options.RepetitionPenalty);
        var forbidden = texts.Select(text => Forbidden(text, promptLength, options).ToArray()).ToArray();
        if (Array.Exists(forbidden, tokens => tokens.Length > 0))
            scores = Cut(scores, Marked(scores, forbidden));
        return scores.alias().MoveToOuterDisposeScope();
    }

    /// <summary>Temperature, then the cuts: top-k, top-p, min-p, typical.</summary>
    /// <param name="scores">[B, V].</param>
    /// <returns>[B, V], -inf for what is cut.</returns>
    public static Tensor Shape(Tensor scores, GenerationOptions options)
    {
        using var scope = NewDisposeScope();
        if (options.Temperature != 1)
            scores = scores / options.Temperature;
        if (options.TopK > 0)
            scores = Cut(scores, scores < scores.topk((int)Math.Min(options.TopK, scores.shape[1]), -1).values.narrow(-1, -1, 1));
        if (options.TopP < 1)
            scores = TopP(scores, options.TopP);
        if (options.MinP > 0)
        {
            var likely = scores.softmax(-1);
            scores = Cut(scores, likely < likely.amax([-1L], keepdim: true) * options.MinP);
        }
        if (options.TypicalP < 1)
            scores = Typical(scores, options.TypicalP);
        return scores.alias().MoveToOuterDisposeScope();
    }

    /// <summary>Draws by probability: the first token whose cumulated probability, in the order of the vocabulary, is above the draw.</summary>
    /// <param name="scores">[B, V].</param>
    /// <param name="uniform">In [0, 1), [B].</param>
    /// <returns>int64, [B].</returns>
    public static Tensor Draw(Tensor scores, Tensor uniform)
    {
        using var scope = NewDisposeScope();
        var probabilities = scores.to(float64).softmax(-1);
        var above = probabilities.cumsum(-1) > uniform.to(float64).unsqueeze(-1);
        var possible = above.logical_and(probabilities > 0); // rounding must not choose what was cut
        var first = possible.to(int64).argmax(-1);
        var last = scores.argmax(-1); // where rounding leaves none
        return where(possible.any(-1), first, last).MoveToOuterDisposeScope();
    }

    private static Tensor Cut(Tensor scores, Tensor removed) => scores.masked_fill(removed, float.NegativeInfinity);

    /// <summary>True at the tokens of each row, [B, V].</summary>
    private static Tensor Marked(Tensor scores, IReadOnlyList<IReadOnlyList<long>> tokens)
    {
        var marks = new bool[scores.shape[0], scores.shape[1]];
        for (var row = 0; row < tokens.Count; row++)
            foreach (var token in tokens[row])
                marks[row, token] = true;
        return tensor(marks, device: scores.device);
    }

    private static Tensor Penalize(Tensor scores, IReadOnlyList<IReadOnlyList<long>> texts, double penalty)
    {
        var present = Marked(scores, texts);
        return where(present, where(scores > 0, scores / penalty, scores * penalty), scores);
    }

    private static IEnumerable<long> Forbidden(IReadOnlyList<long> text, int promptLength, GenerationOptions options)
    {
        var forbidden = Repeated(text, options.NoRepeatNgramSize).Concat((options.BadWords ?? []).Where(word => Begun(text, word)).Select(word => word[^1]));
        return text.Count - promptLength < options.MinNewTokens ? forbidden.Concat(options.EndIds ?? []) : forbidden;
    }

    /// <summary>The tokens that have followed the last n - 1 before.</summary>
    private static IEnumerable<long> Repeated(IReadOnlyList<long> text, int size)
    {
        for (var start = 0; size > 0 && start + size <= text.Count; start++)
            if (Enumerable.Range(0, size - 1).All(i => text[start + i] == text[text.Count - size + 1 + i]))
                yield return text[start + size - 1];
    }

    private static bool Begun(IReadOnlyList<long> text, IReadOnlyList<long> word) =>
        word.Count - 1 <= text.Count && Enumerable.Range(0, word.Count - 1).All(i => text[text.Count - word.Count + 1 + i] == word[i]);

    private static Tensor TopP(Tensor scores, double mass)
    {
        var (sorted, order) = scores.sort(-1, descending: false);
        var removed = sorted.softmax(-1).cumsum(-1) <= 1 - mass;
        removed.narrow(-1, -1, 1).fill_(false); // the likeliest stays
        return Cut(scores, removed.scatter(-1, order, removed));
    }

    /// <summary>Keeps the tokens whose surprise is nearest to what is expected, up to the one that crosses the mass.</summary>
    private static Tensor Typical(Tensor scores, double mass)
    {
        var logs = scores.log_softmax(-1);
        var probabilities = logs.exp();
        var entropy = -(logs * probabilities).nan_to_num(0).sum(-1, keepdim: true);
        var (_, order) = (-logs - entropy).abs().sort(-1, descending: false);
        var before = probabilities.gather(-1, order).cumsum(-1) - probabilities.gather(-1, order);
        var removed = before >= mass;
        removed.narrow(-1, 0, 1).fill_(false);
        return Cut(scores, removed.scatter(-1, order, removed));
    }
}
