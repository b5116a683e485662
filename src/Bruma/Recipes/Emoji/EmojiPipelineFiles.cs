using System.Text.Json;
using Bruma.Diffusion;
using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>The folder of the finished model: a <c>StableDiffusionPipeline</c> as diffusers reads it, fp16.</summary>
internal static class EmojiPipelineFiles
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly string?[] Missing = [null, null];

    /// <param name="weights">Of the <see cref="EmojiGenerator"/>, by its keys.</param>
    /// <param name="stages">The run whose stages have autoencoder and tokenizer.</param>
    /// <param name="about">The words that captions had, and what suits the model.</param>
    public static void Write(string folder, IReadOnlyCollection<KeyValuePair<string, Tensor>> weights, EmojiGenerator network, EmojiStagePlaces stages, (IEnumerable<string> Words, ModelDefaults Defaults) about)
    {
        using var scope = NewDisposeScope();
        network.Denoiser.Save(Path.Combine(folder, "unet"), Half(weights, EmojiGenerator.UnetPrefix));
        WriteTextEncoder(Path.Combine(folder, "text_encoder"), network.Text.Config, Half(weights, EmojiGenerator.TextPrefix));
        using (var autoencoder = AutoencoderKl.Load(stages.Autoencoder))
            autoencoder.Save(Path.Combine(folder, "vae"), Half(autoencoder.state_dict(), ""));
        AtomicFile.CopyFolder(stages.Tokenizer, Path.Combine(folder, "tokenizer"));
        EmojiUnetOptions.Scheduler.Save(Path.Combine(folder, "scheduler", "scheduler_config.json"));
        AtomicFile.WriteText(Path.Combine(folder, KnownWords.FileName), string.Join('\n', about.Words) + "\n");
        about.Defaults.Write(folder);
        AtomicFile.WriteText(Path.Combine(folder, "model_index.json"), JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["_class_name"] = "StableDiffusionPipeline",
            ["_diffusers_version"] = NetworkFiles.FormatVersion,
            ["feature_extractor"] = Missing,
            ["image_encoder"] = Missing,
            ["requires_safety_checker"] = false,
            ["safety_checker"] = Missing,
            ["scheduler"] = new[] { "diffusers", "DDIMScheduler" },
            ["text_encoder"] = new[] { "transformers", "CLIPTextModel" },
            ["tokenizer"] = new[] { "transformers", "CLIPTokenizer" },
            ["unet"] = new[] { "diffusers", "UNet2DConditionModel" },
            ["vae"] = new[] { "diffusers", "AutoencoderKL" },
        }, Indented) + "\n");
    }

    /// <summary>A folder that transformers' CLIPTextModel reads.</summary>
    internal static void WriteTextEncoder(string folder, ClipTextConfig config, IReadOnlyList<KeyValuePair<string, Tensor>> weights)
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
            torch_dtype = weights[0].Value.dtype == float16 ? "float16" : "float32",
            vocab_size = config.VocabSize,
        }, Indented) + "\n");
    }

    private static List<KeyValuePair<string, Tensor>> Half(IEnumerable<KeyValuePair<string, Tensor>> weights, string prefix) =>
        [.. weights.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(pair => KeyValuePair.Create(pair.Key[prefix.Length..], pair.Value.to(float16)))];
}

/// <summary>Where a run's stages put what later stages need, or where a finished model has it.</summary>
/// <param name="Run">The run with the stages' folders, or the model's folder.</param>
internal sealed record EmojiStagePlaces(string Run)
{
    public string Autoencoder => IsModel ? Path.Combine(Run, "vae") : Path.Combine(Run, "vae", "model");

    public string Text => Path.Combine(TextFolder, "text_encoder");

    public string Tokenizer => Path.Combine(TextFolder, "tokenizer");

    /// <summary>The denoiser of a finished model; null where it is still to be made.</summary>
    public string? Denoiser => IsModel ? Path.Combine(Run, "unet") : null;

    private bool IsModel => File.Exists(Path.Combine(Run, "model_index.json"));

    private string TextFolder => IsModel ? Run : Path.Combine(Run, "text", "model");

    /// <exception cref="BrumaException">A stage is not finished.</exception>
    public EmojiStagePlaces Checked()
    {
        foreach (var (stage, place) in new[] { ("vae", Autoencoder), ("text", Text) })
            if (!Directory.Exists(place))
                throw new BrumaException(IsModel
                    ? $"{Run}: has no {Path.GetFileName(place)}; give a text-to-image model that this recipe made, such as emoji."
                    : $"{place}: not there; finish the stage {stage} first (bruma resume {Run}).");
        return this;
    }
}
