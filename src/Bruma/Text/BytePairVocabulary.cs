using System.Text.Encodings.Web;
using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Text;

/// <summary>A learned vocabulary.</summary>
/// <param name="Tokens">In the order of their ids.</param>
/// <param name="Merges">In the order in which they were learned.</param>
/// <param name="SpecialTokens">Begin and end for CLIP; end alone for GPT-2.</param>
public sealed record BytePairVocabulary(IReadOnlyList<string> Tokens, IReadOnlyList<(string Left, string Right)> Merges, IReadOnlyList<string> SpecialTokens)
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Indented = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true };

    /// <summary>Writes the files that transformers' CLIPTokenizer or GPT2Tokenizer reads; texts are cut and padded to the length.</summary>
    public void Write(string folder, int maxLength)
    {
        var (begin, end) = (SpecialTokens[0], SpecialTokens[^1]);
        AtomicFile.WriteText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(Tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id), Plain));
        AtomicFile.WriteText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n" + string.Concat(Merges.Select(merge => $"{merge.Left} {merge.Right}\n")));
        AtomicFile.WriteText(Path.Combine(folder, "special_tokens_map.json"),
            JsonSerializer.Serialize(new { bos_token = begin, eos_token = end, pad_token = end, unk_token = end }, Indented) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, "tokenizer_config.json"), JsonSerializer.Serialize(new
        {
            add_prefix_space = false,
            bos_token = begin,
            do_lower_case = begin != end,
            eos_token = end,
            errors = "replace",
            model_max_length = maxLength,
            pad_token = end,
            tokenizer_class = begin != end ? "CLIPTokenizer" : "GPT2Tokenizer",
            unk_token = end,
        }, Indented) + "\n");
    }
}
