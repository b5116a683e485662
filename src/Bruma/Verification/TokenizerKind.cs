using System.Text.Json;
using Bruma.Text;

namespace Bruma.Verification;

/// <summary>Texts to ids and back, exactly.</summary>
internal static class TokenizerKind
{
    private static readonly string[] Types = ["clip", "wordpiece", "llama-bpe", "byte-bpe", "unigram"];

    public static void Run(GoldenCase golden, CaseReport report)
    {
        var type = golden.Spec.TryGetProperty("type", out var named) ? named.GetString()! : "clip";
        if (!Types.Contains(type))
            throw new UnknownCaseException($"tokenizer {type}");
        var tokenizer = Tokenizer.Load(golden.PathOf(golden.Spec.GetProperty("folder").GetString()!));
        if (golden.Spec.TryGetProperty("vocab_size", out var size))
            report.CompareExact("vocab_size", tokenizer.VocabularySize, size.GetInt32());

        foreach (var row in golden.Spec.GetProperty("cases").EnumerateArray())
            if (type == "clip")
                CompareClip(golden.Spec, row, tokenizer, report);
            else
                Compare(row, tokenizer, type, report);
        if (golden.Spec.TryGetProperty("pairs", out var pairs))
            foreach (var row in pairs.EnumerateArray())
                ComparePair(row, tokenizer, report);
    }

    private static void CompareClip(JsonElement spec, JsonElement row, Tokenizer tokenizer, CaseReport report)
    {
        var name = JsonSerializer.Serialize(row.GetProperty("text").GetString());
        var ids = tokenizer.Encode(row.GetProperty("text").GetString()!);
        var either = row.TryGetProperty("ids_fast", out var fast) && ids.SequenceEqual(Numbers(fast));
        if (!either)
            report.CompareExact(name, ids, Numbers(row.GetProperty("ids")));
        if (spec.TryGetProperty("pad_id", out var pad))
            report.CompareExact("pad_id", tokenizer.Options.PadId, pad.GetInt32());
        if (row.TryGetProperty("padded_tail", out var tail))
            report.CompareExact($"{name} padded", Padded(tokenizer, row, spec.GetProperty("max_length").GetInt32())[^tail.GetArrayLength()..], Numbers(tail));
        if (row.TryGetProperty("decoded", out var decoded))
            report.CompareExact($"{name} decoded", tokenizer.Decode(ids), decoded.GetString()!);
    }

    private static int[] Padded(Tokenizer tokenizer, JsonElement row, int length) =>
        [.. tokenizer.Encode(row.GetProperty("text").GetString()!, null, new EncodingOptions(length, Truncation.LongestFirst, Padding.MaxLength)).Ids];

    private static void Compare(JsonElement row, Tokenizer tokenizer, string type, CaseReport report)
    {
        var text = row.GetProperty("text").GetString()!;
        var name = JsonSerializer.Serialize(text);
        var ids = tokenizer.Encode(text, addSpecialTokens: type == "wordpiece");
        report.CompareExact(name, ids, Numbers(row.GetProperty("ids")));
        if (row.TryGetProperty("with_special", out var special))
            report.CompareExact($"{name} with special tokens", tokenizer.Encode(text), Numbers(special));
        if (row.TryGetProperty("tokens", out var tokens))
            report.CompareExact($"{name} tokens", ids.Select(tokenizer.TokenOf), tokens.EnumerateArray().Select(token => token.GetString()!));
        if (row.TryGetProperty("decoded", out var decoded))
            report.CompareExact($"{name} decoded", tokenizer.Decode(ids, skipSpecialTokens: type != "byte-bpe"), decoded.GetString()!);
    }

    private static void ComparePair(JsonElement row, Tokenizer tokenizer, CaseReport report)
    {
        var options = row.TryGetProperty("options", out var asked) ? Options(asked) : new EncodingOptions();
        var name = row.GetRawText().ReplaceLineEndings("");
        name = name[..Math.Min(80, name.Length)];
        var batch = row.TryGetProperty("batch", out var texts)
            ? tokenizer.EncodeBatch(texts.EnumerateArray().Select(text => text.GetString()!), options)
            : [tokenizer.Encode(row.GetProperty("text").GetString()!, row.GetProperty("pair").GetString(), options)];
        report.CompareExact($"{name} ids", batch.SelectMany(text => text.Ids), Numbers(row.GetProperty("ids")));
        if (row.TryGetProperty("token_type_ids", out var types))
            report.CompareExact($"{name} token_type_ids", batch.SelectMany(text => text.TypeIds), Numbers(types));
        if (row.TryGetProperty("attention_mask", out var mask))
            report.CompareExact($"{name} attention_mask", batch.SelectMany(text => text.AttentionMask), Numbers(mask));
    }

    private static EncodingOptions Options(JsonElement json)
    {
        var options = new EncodingOptions();
        foreach (var option in json.EnumerateObject())
            options = option.Name switch
            {
                "max_length" => options with { MaxLength = option.Value.GetInt32() },
                "pad_to_multiple_of" => options with { PadToMultipleOf = option.Value.GetInt32() },
                "add_special_tokens" => options with { AddSpecialTokens = option.Value.GetBoolean() },
                "truncation" => options with { Truncation = TruncationOf(option.Value) },
                "padding" => options with { Padding = PaddingOf(option.Value) },
                _ => throw new UnknownCaseException($"option {option.Name}"),
            };
        return options;
    }

    private static Truncation TruncationOf(JsonElement value) => value.ToString() switch
    {
        "True" or "longest_first" => Truncation.LongestFirst,
        "only_first" => Truncation.OnlyFirst,
        "only_second" => Truncation.OnlySecond,
        "False" or "do_not_truncate" => Truncation.None,
        var other => throw new UnknownCaseException($"truncation {other}"),
    };

    private static Padding PaddingOf(JsonElement value) => value.ToString() switch
    {
        "True" or "longest" => Padding.Longest,
        "max_length" => Padding.MaxLength,
        "False" or "do_not_pad" => Padding.None,
        var other => throw new UnknownCaseException($"padding {other}"),
    };

    /// <summary>Numbers of a list or of lists within it.</summary>
    private static IEnumerable<int> Numbers(JsonElement list) => list.EnumerateArray().SelectMany(item => item.ValueKind == JsonValueKind.Array ? Numbers(item) : [item.GetInt32()]);
}
