using System.Text.Json;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Calls language models and sequence models, also to write, and names what they give as the cases do.</summary>
internal static class LanguageModelOutputs
{
    public static Dictionary<string, Tensor> OfLanguageModel(ILanguageModel model, Dictionary<string, Tensor> inputs, GoldenCase golden)
    {
        var ids = inputs["input_ids"].to(int64);
        var pass = new TextPass(inputs.GetValueOrDefault("attention_mask"), Positions: inputs.GetValueOrDefault("position_ids")?.to(int64), KeepWeights: true);
        var read = model.Read(ids, pass);
        var logits = model.Predict(read.LastHiddenState);
        var outputs = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["last_hidden_state"] = read.LastHiddenState,
            ["attentions"] = stack(read.Attentions),
            ["logits"] = logits,
            ["loss"] = SequenceLoss.Next(logits, inputs.GetValueOrDefault("labels")?.to(int64) ?? ids),
        };
        if (golden.Has("greedy"))
            outputs["greedy"] = Continue(model, ids, null, golden, Whole(golden, "max_new_tokens", 20));
        if (golden.Has("batch_greedy"))
            outputs["batch_greedy"] = Continue(model, golden.Tensor("batch_ids").to(int64), golden.Tensor("batch_mask"), golden, Whole(golden, "batch_max_new_tokens", 20));
        foreach (var given in golden.Names("batch_").Where(name => name is "batch_ids" or "batch_mask"))
            outputs[given] = golden.Tensor(given);
        return outputs;
    }

    public static Dictionary<string, Tensor> OfT5(T5ForConditionalGeneration model, Dictionary<string, Tensor> inputs, GoldenCase golden)
    {
        var (ids, mask, labels) = (inputs["input_ids"].to(int64), inputs.GetValueOrDefault("attention_mask"), inputs["labels"].to(int64));
        var encoded = model.Encode(ids, mask).LastHiddenState;
        var logits = model.call(new SequencePair(ids, mask, model.Shifted(labels)));
        var outputs = new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["encoder"] = encoded, ["logits"] = logits, ["loss"] = SequenceLoss.Mean(logits, labels) };
        if (golden.Has("greedy"))
        {
            using var decoding = new SequenceDecoding(model, ids, mask);
            var options = Greedy(golden, Whole(golden, "max_new_tokens", 20)) with { MinNewTokens = Whole(golden, "min_new_tokens", 0), PadId = model.Config.PadTokenId };
            var start = model.Config.DecoderStartTokenId ?? model.Config.PadTokenId;
            outputs["greedy"] = Table(TokenGeneration.Run(decoding, [.. Enumerable.Repeat((IReadOnlyList<long>)[start], (int)ids.shape[0])], options), options.PadId);
        }
        return outputs;
    }

    private static Tensor Continue(ILanguageModel model, Tensor ids, Tensor? mask, GoldenCase golden, int tokens)
    {
        using var decoding = new TextDecoding(model, mask);
        var options = Greedy(golden, tokens);
        return Table(TokenGeneration.Run(decoding, GenerationKinds.Rows(ids), options), options.PadId);
    }

    private static GenerationOptions Greedy(GoldenCase golden, int tokens) => new(
        tokens,
        EndIds: GenerationDefaults.Read(golden.PathOf(golden.Spec.GetProperty("folder").GetString()!)).EndIds,
        PadId: golden.Spec.TryGetProperty("pad_token_id", out var pad) && pad.ValueKind == JsonValueKind.Number ? pad.GetInt64() : 0);

    /// <summary>Rows of one length, padded.</summary>
    private static Tensor Table(IReadOnlyList<GeneratedTokens> texts, long pad)
    {
        var width = texts.Max(text => text.Tokens.Count);
        return stack(texts.Select(text => tensor(text.Tokens.Concat(Enumerable.Repeat(pad, width - text.Tokens.Count)).ToArray())));
    }

    private static int Whole(GoldenCase golden, string key, int otherwise) => golden.Spec.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : otherwise;
}
