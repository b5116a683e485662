using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>Follows the likeliest continuations of each prompt side by side; the rules of transformers' beam search.</summary>
/// <remarks>Each step looks at twice as many continuations as there are beams; those that end join the finished texts if they are among the best half.</remarks>
internal sealed class BeamSearch(GenerationOptions options)
{
    private readonly int _beams = options.NumBeams;

    public IReadOnlyList<GeneratedTokens> Run(Decoding decoding, IReadOnlyList<IReadOnlyList<long>> prompts)
    {
        var searches = prompts.Select(prompt => new Search(prompt)).ToArray();
        foreach (var search in searches)
            search.Running.AddRange(Enumerable.Range(0, _beams).Select(beam => (new List<long>(search.Prompt), beam == 0 ? 0.0 : double.NegativeInfinity)));
        for (var step = 1; step <= options.MaxNewTokens; step++)
        {
            var continuations = Continuations(decoding, prompts, searches, step);
            var rows = new long[searches.Length * _beams];
            var open = false;
            for (var i = 0; i < searches.Length; i++)
            {
                var parents = Advance(searches[i], continuations[i], step);
                parents.Select(parent => (long)(i * _beams + parent)).ToArray().CopyTo(rows, i * _beams);
                open |= searches[i].IsOpen;
            }
            if (!open || (options.EarlyStopping && searches.All(search => search.Finished.Count == _beams)))
                break;
            using var order = tensor(rows);
            decoding.Reorder(order);
        }
        return [.. searches.SelectMany(search => search.Finished.Take(options.NumReturnSequences))];
    }

    /// <summary>For each prompt its 2 * beams best continuations, best first.</summary>
    private List<(int Beam, long Token, double Score)>[] Continuations(Decoding decoding, IReadOnlyList<IReadOnlyList<long>> prompts, Search[] searches, int step)
    {
        using var scope = NewDisposeScope();
        var running = searches.SelectMany(search => search.Running).ToArray();
        var scores = step == 1
            ? TokenGeneration.Begin(decoding, prompts, _beams)
            : decoding.Read(tensor(running.Select(beam => beam.Tokens[^1]).ToArray()).unsqueeze(1));
        scores = NextTokenRules.Constrain(scores.log_softmax(-1), [.. running.Select(beam => beam.Tokens)], prompts[0].Count, options);
        var vocabulary = scores.shape[1];
        var sums = (scores + tensor(running.Select(beam => (float)beam.Score).ToArray()).unsqueeze(1)).view(searches.Length, -1); // [prompts, beams * V]
        var (values, places) = sums.topk((int)Math.Min(2 * _beams, sums.shape[1]), -1);
        var (best, at, count) = (values.to(float64).contiguous().data<double>().ToArray(), places.contiguous().data<long>().ToArray(), (int)values.shape[1]);
        return [.. Enumerable.Range(0, searches.Length).Select(i => Enumerable.Range(i * count, count).Select(k => ((int)(at[k] / vocabulary), at[k] % vocabulary, best[k])).ToList())];
    }

    /// <returns>From which beam each new one comes.</returns>
    private int[] Advance(Search search, List<(int Beam, long Token, double Score)> continuations, int step)
    {
        var isLast = step == options.MaxNewTokens;
        var (next, parents) = (new List<(List<long> Tokens, double Score)>(), new List<int>());
        var accepts = search.IsOpen && !(options.EarlyStopping && search.Finished.Count == _beams);
        for (var rank = 0; rank < continuations.Count; rank++)
        {
            var (beam, token, score) = continuations[rank];
            List<long> tokens = [.. search.Running[beam].Tokens, token];
            if (isLast || options.EndIds?.Contains(token) == true)
            {
                if (rank < _beams && accepts && !double.IsNegativeInfinity(score))
                    search.Finish(new GeneratedTokens(tokens, score / Math.Pow(step, options.LengthPenalty)), _beams);
            }
            else if (next.Count < _beams)
            {
                next.Add((tokens, score));
                parents.Add(beam);
            }
        }
        while (next.Count < _beams) // no more continuations: a beam that no longer counts keeps its row
        {
            next.Add(([.. search.Running[0].Tokens, options.PadId], double.NegativeInfinity));
            parents.Add(0);
        }
        search.Running = next;
        search.IsOpen &= search.Finished.Count < _beams || next[0].Score / Math.Pow(step, options.LengthPenalty) > search.Finished[^1].Score;
        return [.. parents];
    }

    private sealed class Search(IReadOnlyList<long> prompt)
    {
        public IReadOnlyList<long> Prompt { get; } = prompt;

        public List<(List<long> Tokens, double Score)> Running { get; set; } = [];

        /// <summary>Best first.</summary>
        public List<GeneratedTokens> Finished { get; } = [];

        /// <summary>Whether a running beam may still beat the worst finished text.</summary>
        public bool IsOpen { get; set; } = true;

        public void Finish(GeneratedTokens text, int most)
        {
            var place = Finished.FindIndex(other => other.Score < text.Score);
            Finished.Insert(place < 0 ? Finished.Count : place, text);
            if (Finished.Count > most)
                Finished.RemoveAt(most);
        }
    }
}
