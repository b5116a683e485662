using System.Text.Encodings.Web;
using System.Text.Json;
using Bruma.Data.Emoji;
using Bruma.Hub;
using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>The folder of a scorer: weights, what its heads name, the tokenizer, and the text encoder alone in the layout of transformers.</summary>
public static class EmojiScorerFiles
{
    private const string TextPrefix = "text.text_model.";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>What a scorer was made for.</summary>
    private sealed record Description(int Vocabulary, int Width, int Layers, int Heads, IReadOnlyList<string> Styles, IReadOnlyList<string> Concepts);

    internal static void Write(string folder, IReadOnlyList<KeyValuePair<string, Tensor>> weights, (ClipTextConfig Config, IReadOnlyList<EmojiConcept> Concepts, IReadOnlyList<string> Styles) what, string tokenizer)
    {
        var config = what.Config;
        SafetensorsFile.Write(Path.Combine(folder, "scorer.safetensors"), weights);
        AtomicFile.WriteText(Path.Combine(folder, "scorer.json"), JsonSerializer.Serialize(
            new Description(config.VocabSize, config.HiddenSize, config.NumHiddenLayers, config.NumAttentionHeads, what.Styles, [.. what.Concepts.Select(concept => concept.Codepoints)]), Indented) + "\n");
        WriteTextEncoder(Path.Combine(folder, "text_encoder"), config, weights.Where(pair => pair.Key.StartsWith(TextPrefix, StringComparison.Ordinal)).Select(pair => new KeyValuePair<string, Tensor>(pair.Key["text.".Length..], pair.Value)));
        foreach (var file in Directory.EnumerateFiles(tokenizer))
        {
            var copy = Path.Combine(folder, "tokenizer", Path.GetFileName(file));
            AtomicFile.Write(copy, stream => stream.Write(File.ReadAllBytes(file)));
        }
    }

    /// <summary>A folder that transformers' CLIPTextModel reads.</summary>
    internal static void WriteTextEncoder(string folder, ClipTextConfig config, IEnumerable<KeyValuePair<string, Tensor>> weights)
    {
        SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), weights, new Dictionary<string, string> { ["format"] = "pt" });
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(new
        {
            architectures = new[] { "CLIPTextModel" },
            attention_dropout = 0.0,
            bos_token_id = config.BosTokenId,
            dropout = 0.0,
            eos_token_id = config.EosTokenId,
            hidden_act = config.HiddenAct,
            hidden_size = config.HiddenSize,
            initializer_factor = 1.0,
            initializer_range = 0.02,
            intermediate_size = config.IntermediateSize,
            layer_norm_eps = config.LayerNormEps,
            max_position_embeddings = config.MaxPositionEmbeddings,
            model_type = "clip_text_model",
            num_attention_heads = config.NumAttentionHeads,
            num_hidden_layers = config.NumHiddenLayers,
            pad_token_id = config.PadTokenId,
            projection_dim = config.ProjectionDim,
            torch_dtype = "float32",
            vocab_size = config.VocabSize,
        }, Indented) + "\n");
    }

    /// <summary>Loads a scorer in fp32, ready to judge.</summary>
    public static (EmojiScorer Network, Tokenizer Tokenizer, IReadOnlyList<string> Concepts, IReadOnlyList<string> Styles) Read(string folder)
    {
        var path = Path.Combine(folder, "scorer.json");
        Description description;
        try
        {
            description = JsonSerializer.Deserialize<Description>(File.ReadAllBytes(path), Indented)!;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BrumaException($"{path}: no scorer there ({e.Message.TrimEnd('.')}); train one with bruma train text-to-image --recipe emoji.", e);
        }
        var network = new EmojiScorer(new EmojiTextOptions("", Width: description.Width, Layers: description.Layers).Network(description.Vocabulary), description.Concepts.Count, description.Styles.Count);
        using (var weights = new SafetensorsFile(Path.Combine(folder, "scorer.safetensors")))
            ModuleWeights.Load(network, weights);
        network.eval();
        return (network, Tokenizer.Load(Path.Combine(folder, "tokenizer")), description.Concepts, description.Styles);
    }
}
