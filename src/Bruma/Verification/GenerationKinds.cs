using System.Text.Json;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Kinds <c>logits_processors</c> and <c>generation</c>.</summary>
internal static class GenerationKinds
{
    /// <summary>What stands for minus infinity in the cases.</summary>
    private const double Forbidden = -1e9;

    public static void LogitsProcessors(GoldenCase golden, CaseReport report)
    {
        var (logits, ids) = (golden.Tensor("logits"), Rows(golden.Tensor("input_ids")));
        foreach (var row in golden.Spec.GetProperty("cases").EnumerateArray())
        {
            var (name, given) = (row.GetProperty("name").GetString()!, row.GetProperty("options"));
            var options = Options(given);
            var prompt = given.TryGetProperty("prompt_length", out var length) ? length.GetInt32() : ids[0].Count;
            var scores = NextTokenRules.Shape(NextTokenRules.Constrain(logits, ids, prompt, options), options);
            report.Compare($"{name}.scores", scores.masked_fill(scores == double.NegativeInfinity, Forbidden));
            if (golden.Has($"{name}.allowed"))
                report.Compare($"{name}.allowed", (scores != double.NegativeInfinity).to(golden.Tensor($"{name}.allowed").dtype));
            if (golden.Has($"{name}.probabilities"))
                report.Compare($"{name}.probabilities", scores.softmax(-1));
            if (name == "all" && golden.Has("sampled"))
                report.Compare("sampled", NextTokenRules.Draw(scores, golden.Tensor("uniform")));
        }
    }

    public static void Generation(GoldenCase golden, CaseReport report)
    {
        var name = golden.Spec.GetProperty("class").GetString()!;
        if (!ModelClasses.All.TryGetValue(name, out var load))
            throw new UnknownCaseException($"class {name}");
        using var network = load(golden.PathOf(golden.Spec.GetProperty("model").GetString()!), null);
        var (pad, eos) = (golden.Spec.GetProperty("pad").GetInt64(), golden.Spec.GetProperty("eos").GetInt64());
        foreach (var row in golden.Spec.GetProperty("cases").EnumerateArray())
        {
            var title = row.GetProperty("name").GetString()!;
            var input = golden.Has($"{title}.input_ids") ? $"{title}." : "";
            var (ids, mask) = (golden.Tensor($"{input}input_ids").to(int64), golden.Has($"{input}attention_mask") ? golden.Tensor($"{input}attention_mask").to(int64) : null);
            var options = Options(row.GetProperty("options")) with { EndIds = [eos], PadId = pad };

            using var decoding = new Recorded(network is ILanguageModel model ? new TextDecoding(model, mask) : new SequenceDecoding((ISequenceModel)network, ids, mask));
            var prompts = network is ILanguageModel ? Rows(ids) : [.. Rows(ids).Select(_ => (IReadOnlyList<long>)[golden.Spec.GetProperty("decoder_start").GetInt64()])];
            var texts = TokenGeneration.Run(decoding, prompts, options);
            Compare(golden, report, title, texts, prompts[0].Count, eos);
            if (golden.Has($"{title}.step_logits"))
                report.Compare($"{title}.step_logits", stack(decoding.Scores, 1));
        }
    }

    private static void Compare(GoldenCase golden, CaseReport report, string title, IReadOnlyList<GeneratedTokens> texts, int prompt, long eos)
    {
        var expected = Rows(golden.Tensor($"{title}.sequences"));
        report.CompareExact($"{title}: texts", texts.Count, expected.Count);
        for (var i = 0; i < Math.Min(texts.Count, expected.Count); i++)
            report.CompareExact($"{title}.sequences {i}", UntilEnd(texts[i].Tokens, prompt, eos), UntilEnd(expected[i], prompt, eos));
        if (golden.Has($"{title}.scores"))
            report.Compare($"{title}.scores", tensor(texts.Select(text => (float)text.Score).ToArray()));
    }

    private static IEnumerable<long> UntilEnd(IReadOnlyList<long> tokens, int prompt, long eos)
    {
        var end = tokens.Skip(prompt).ToList().IndexOf(eos);
        return end < 0 ? tokens : tokens.Take(prompt + end + 1);
    }

    internal static IReadOnlyList<IReadOnlyList<long>> Rows(Tensor ids) =>
        [.. ids.to(int64).contiguous().data<long>().ToArray().Chunk((int)ids.shape[1]).Select(row => (IReadOnlyList<long>)row)];

    private static GenerationOptions Options(JsonElement json)
    {
        double Number(string key, double otherwise) => json.TryGetProperty(key, out var value) ? value.GetDouble() : otherwise;
        int Whole(string key, int otherwise) => json.TryGetProperty(key, out var value) ? value.GetInt32() : otherwise;
        return new GenerationOptions(
            Whole("max_new_tokens", int.MaxValue), Whole("min_new_tokens", 0), false, Number("temperature", 1), Whole("top_k", 0), Number("top_p", 1), Number("min_p", 0), Number("typical_p", 1),
            Number("repetition_penalty", 1), Whole("no_repeat_ngram_size", 0),
            json.TryGetProperty("bad_words_ids", out var words) ? [.. words.EnumerateArray().Select(word => (IReadOnlyList<long>)[.. word.EnumerateArray().Select(id => id.GetInt64())])] : null,
            json.TryGetProperty("eos_token_id", out var eos) ? [eos.GetInt64()] : null, 0, Whole("num_beams", 1), Number("length_penalty", 1),
            json.TryGetProperty("early_stopping", out var early) && early.GetBoolean(), Whole("num_return_sequences", 1));
    }

    /// <summary>Keeps the scores of each step.</summary>
    private sealed class Recorded(Decoding inner) : Decoding
    {
        public List<Tensor> Scores { get; } = [];

        public override Tensor Read(Tensor tokens)
        {
            var scores = inner.Read(tokens);
            Scores.Add(scores.clone().DetachFromDisposeScope());
            return scores;
        }

        public override void Reorder(Tensor rows) => inner.Reorder(rows);

        public override void Dispose()
        {
            inner.Dispose();
            foreach (var scores in Scores)
                scores.Dispose();
        }
    }
}
