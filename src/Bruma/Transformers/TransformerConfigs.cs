using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Bruma.Hub;

namespace Bruma.Transformers;

/// <summary>JSON of this family's networks.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ClipTextConfig))]
[JsonSerializable(typeof(ClipVisionConfig))]
[JsonSerializable(typeof(ClipSpace))]
[JsonSerializable(typeof(BertConfig))]
[JsonSerializable(typeof(DistilBertConfig))]
[JsonSerializable(typeof(ViTConfig))]
[JsonSerializable(typeof(Gpt2Config))]
[JsonSerializable(typeof(LlamaConfig))]
[JsonSerializable(typeof(T5Config))]
[JsonSerializable(typeof(SequenceTransformerConfig))]
internal sealed partial class TransformerConfigs : JsonSerializerContext
{
    /// <summary>Keys that every config of transformers may have and that change nothing that Bruma computes: defaults of calls, of generation and of initialisation.</summary>
    private static readonly string[] Common =
    [
        "return_dict", "output_hidden_states", "output_attentions", "torchscript", "pruned_heads", "tie_encoder_decoder", "chunk_size_feed_forward", "use_bfloat16", "tf_legacy_loss",
        "finetuning_task", "task_specific_params", "tokenizer_class", "prefix", "use_cache", "use_return_dict", "label2id", "num_labels", "torch_dtype", "gradient_checkpointing",
        "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "decoder_start_token_id", "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
        "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids",
        "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens",
        "begin_suppress_tokens", "initializer_range", "initializer_factor", "n_ctx", "output_past", "total_flos", "attn_implementation", "is_encoder_decoder",
        "tie_word_embeddings", "problem_type", "id2label", "add_cross_attention", "is_decoder", "cross_attention_hidden_size",
    ];

    /// <param name="ignored">Further keys of this class without effect.</param>
    public static T Read<T>(string folder, JsonTypeInfo<T> type, params string[] ignored)
        where T : class => ConfigFile.Read(Path.Combine(folder, "config.json"), type, ConfigKind.Model, [.. Common, .. ignored]);

    /// <summary>The config of one tower: the whole file, or its part <paramref name="section"/> where the file describes both.</summary>
    public static T ReadSection<T>(string folder, string section, JsonTypeInfo<T> type, params string[] ignored)
        where T : class
    {
        var path = Path.Combine(folder, "config.json");
        using var json = PythonJson.ParseFile(path);
        var whole = json.RootElement;
        return whole.TryGetProperty(section, out var part) && part.ValueKind == JsonValueKind.Object
            ? ConfigFile.Read($"{path}, \"{section}\"", part, type, ConfigKind.Model, [.. Common, .. ignored])
            : ConfigFile.Read(path, whole, type, ConfigKind.Model, [.. Common, .. ignored]);
    }
}
