using System.Text;
using System.Text.Json.Nodes;
using Bruma.Hub;

namespace Bruma.Text;

/// <summary>A learned vocabulary and its merges, as the files of a transformers tokenizer.</summary>
public sealed class TrainedTokenizer
{
    private readonly TokenizerTrainingOptions _options;

    internal TrainedTokenizer(IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges, TokenizerTrainingOptions options) =>
        (Tokens, Merges, _options) = (tokens, merges, options);

    /// <summary>By id: letters, merged pairs in the order in which they were learned, special tokens.</summary>
    public IReadOnlyList<string> Tokens { get; }

    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    private bool IsClip => _options.Style == "clip";

    private string End => _options.SpecialTokens[^1];

    /// <summary>The tokenizer, the same as <see cref="Tokenizer.Load"/> makes of the files.</summary>
    public Tokenizer Create()
    {
        var vocabulary = Tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id, StringComparer.Ordinal);
        var (begin, end) = (vocabulary[_options.SpecialTokens[0]], vocabulary[End]);
        return new Tokenizer(
            IsClip ? ClipTokenizerRules.Create(vocabulary, Merges, _options.SpecialTokens[0], End, End) : TokenizerFolder.Gpt2(vocabulary, Merges, prefixSpace: false),
            [.. _options.SpecialTokens.Select(token => new AddedToken(token, vocabulary[token], Special: true))],
            new TokenizerOptions(_options.MaxLength, end, begin, end, end));
    }

    /// <summary>Writes <c>vocab.json</c>, <c>merges.txt</c>, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>, and for GPT-2's style <c>tokenizer.json</c>.</summary>
    /// <exception cref="BrumaException">The folder cannot be written.</exception>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        var vocabulary = new JsonObject(Tokens.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id)));
        var special = new JsonObject { ["bos_token"] = _options.SpecialTokens[0], ["eos_token"] = End, ["unk_token"] = End, ["pad_token"] = End };
        var config = special.DeepClone().AsObject();
        config["tokenizer_class"] = IsClip ? "CLIPTokenizer" : "GPT2Tokenizer";
        config["add_prefix_space"] = false;
        if (IsClip)
            config["do_lower_case"] = true;
        if (_options.MaxLength is { } length)
            config["model_max_length"] = length;

        var merges = new StringBuilder("#version: 0.2\n");
        foreach (var (left, right) in Merges)
            merges.Append(left).Append(' ').Append(right).Append('\n');
        AtomicFile.WriteText(Path.Combine(folder, "vocab.json"), vocabulary.ToJsonString(ReadableJson.Options) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, "merges.txt"), merges.ToString());
        AtomicFile.WriteText(Path.Combine(folder, "special_tokens_map.json"), special.ToJsonString(ReadableJson.Options) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString(ReadableJson.Options) + "\n");
        if (!IsClip)
            AtomicFile.WriteText(Path.Combine(folder, "tokenizer.json"), Json(vocabulary.DeepClone()).ToJsonString(ReadableJson.Options) + "\n");
    }

    private JsonObject Json(JsonNode vocabulary) => new()
    {
        ["version"] = "1.0",
        ["truncation"] = null,
        ["padding"] = null,
        ["added_tokens"] = new JsonArray(_options.SpecialTokens.Select(token => (JsonNode)new JsonObject
        {
            ["id"] = Tokens.ToList().IndexOf(token),
            ["content"] = token,
            ["single_word"] = false,
            ["lstrip"] = false,
            ["rstrip"] = false,
            ["normalized"] = false,
            ["special"] = true,
        }).ToArray()),
        ["normalizer"] = null,
        ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true },
        ["post_processor"] = null,
        ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
        ["model"] = new JsonObject
        {
            ["type"] = "BPE",
            ["dropout"] = null,
            ["unk_token"] = null,
            ["continuing_subword_prefix"] = null,
            ["end_of_word_suffix"] = null,
            ["fuse_unk"] = false,
            ["byte_fallback"] = false,
            ["ignore_merges"] = false,
            ["vocab"] = vocabulary,
            ["merges"] = new JsonArray(Merges.Select(merge => (JsonNode)$"{merge.Left} {merge.Right}").ToArray()),
        },
    };
}
