using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>One written text.</summary>
/// <param name="Tokens">The prompt and what follows, up to and including the token that ends it.</param>
/// <param name="Score">Of a beam search: the sum of log-probabilities over length^penalty; otherwise 0.</param>
public sealed record GeneratedTokens(IReadOnlyList<long> Tokens, double Score);

/// <summary>Continues token sequences: the likeliest token, a drawn one, or a beam search.</summary>
public static class TokenGeneration
{
    /// <summary>Writes all texts to their end.</summary>
    /// <param name="prompts">One row each, of one length (left-padded where the decoding has a mask).</param>
    /// <param name="random">For sampling.</param>
    /// <returns>For each prompt its texts, best first, one after the other.</returns>
    /// <exception cref="BrumaException">An option is out of its range.</exception>
    public static IReadOnlyList<GeneratedTokens> Run(Decoding decoding, IReadOnlyList<IReadOnlyList<long>> prompts, GenerationOptions options, Generator? random = null)
    {
        options.Check();
        if (options.NumBeams > 1)
            return new BeamSearch(options).Run(decoding, prompts);
        var texts = prompts.SelectMany(prompt => Enumerable.Repeat(prompt, options.NumReturnSequences)).Select(prompt => prompt.ToList()).ToArray();
        var ended = new bool[texts.Length];
        foreach (var tokens in Stream(decoding, prompts, options, random))
            for (var row = 0; row < texts.Length; row++)
                if (!ended[row])
                {
                    texts[row].Add(tokens[row]);
                    ended[row] = options.EndIds?.Contains(tokens[row]) == true;
                }
        return [.. texts.Select(text => new GeneratedTokens(text, 0))];
    }

    /// <summary>Gives, step by step, one token for each text as soon as it is known; texts that have ended give the padding token.</summary>
    /// <inheritdoc cref="Run"/>
    public static IEnumerable<long[]> Stream(Decoding decoding, IReadOnlyList<IReadOnlyList<long>> prompts, GenerationOptions options, Generator? random = null)
    {
        options.Check();
        if (options.NumBeams > 1)
            throw new BrumaException("A beam search knows its text only at the end; stream with num_beams 1.");
        if (options.DoSample && random is null)
            throw new ArgumentNullException(nameof(random), "sampling draws from a generator");
        return Steps(decoding, prompts, options, random);
    }

    private static IEnumerable<long[]> Steps(Decoding decoding, IReadOnlyList<IReadOnlyList<long>> prompts, GenerationOptions options, Generator? random)
    {
        var texts = prompts.SelectMany(prompt => Enumerable.Repeat(prompt, options.NumReturnSequences)).Select(prompt => prompt.ToList()).ToArray();
        var (ended, next) = (new bool[texts.Length], (long[]?)null);
        for (var step = 0; step < options.MaxNewTokens && ended.Contains(false); step++)
        {
            next = Next(decoding, prompts, texts, next, options, random);
            for (var row = 0; row < next.Length; row++)
            {
                if (ended[row])
                    next[row] = options.PadId;
                texts[row].Add(next[row]);
                ended[row] |= options.EndIds?.Contains(next[row]) == true;
            }
            yield return (long[])next.Clone(); // no scope is open across the yield
        }
    }

    private static long[] Next(Decoding decoding, IReadOnlyList<IReadOnlyList<long>> prompts, List<long>[] texts, long[]? last, GenerationOptions options, Generator? random)
    {
        using var scope = NewDisposeScope();
        var scores = last is null ? Begin(decoding, prompts, options.NumReturnSequences) : decoding.Read(tensor(last).unsqueeze(1));
        scores = NextTokenRules.Constrain(scores, texts, prompts[0].Count, options);
        var chosen = options.DoSample
            ? NextTokenRules.Draw(NextTokenRules.Shape(scores, options), rand([scores.shape[0]], float64, generator: random))
            : scores.argmax(-1);
        return [.. chosen.data<long>()];
    }

    /// <summary>Reads the prompts once and repeats what came of it.</summary>
    /// <returns>[B * times, V].</returns>
    internal static Tensor Begin(Decoding decoding, IReadOnlyList<IReadOnlyList<long>> prompts, int times)
    {
        if (prompts.Count == 0 || prompts[0].Count == 0 || prompts.Any(prompt => prompt.Count != prompts[0].Count))
            throw new ArgumentException("prompts have at least one token and one length", nameof(prompts));
        var scores = decoding.Read(tensor(prompts.SelectMany(prompt => prompt).ToArray()).view(prompts.Count, -1));
        if (times == 1)
            return scores;
        var rows = arange(prompts.Count, int64).repeat_interleave(times);
        decoding.Reorder(rows);
        return scores.index_select(0, rows);
    }
}
