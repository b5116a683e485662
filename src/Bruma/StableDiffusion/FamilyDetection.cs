using Bruma.Hub;

namespace Bruma.StableDiffusion;

/// <summary>Tells a family by the names and shapes of a single file.</summary>
internal static class FamilyDetection
{
    public const string UNetPrefix = "model.diffusion_model.";
    public const string AutoencoderPrefix = "first_stage_model.";

    private const string ContextKey = ".attn2.to_k.weight";

    /// <summary>What files that are not Stable Diffusion seem to be, by a part of some name.</summary>
    private static readonly (string Part, string What)[] Others =
    [
        ("double_blocks.", "a Flux transformer"), ("joint_blocks.", "Stable Diffusion 3"), ("lora_down.", "a LoRA; give it with --lora"), ("lora_A.", "a LoRA; give it with --lora"),
        ("lora.down.", "a LoRA; give it with --lora"), ("string_to_param", "a textual inversion; give it with --embedding"), ("emb_params", "a textual inversion; give it with --embedding"),
        ("control_model.", "a ControlNet"), ("controlnet_cond_embedding.", "a ControlNet; give its folder with --control"), ("down_blocks.", "the U-Net of a diffusers folder; give the folder"),
        ("decoder.mid", "an autoencoder alone"), ("transformer_blocks.", "a diffusion transformer"), ("model.layers.", "a language model"), ("text_model.", "a text encoder alone"),
        ("clip_l.", "text encoders alone"), ("conv_norm_out.", "the U-Net or autoencoder of a diffusers folder; give the folder"),
    ];

    /// <exception cref="BrumaException">The file is of no family that Bruma knows; the message says what it seems to be.</exception>
    public static ModelFamily Detect(ITensorSource source)
    {
        if (!source.Tensors.Keys.Any(name => name.StartsWith(UNetPrefix, StringComparison.Ordinal)))
            throw new BrumaException($"{source.Origin}: is no Stable Diffusion checkpoint (no name begins with \"{UNetPrefix}\"); it seems to be {Seems(source)}.");
        foreach (var (part, what) in Others[..2])
            if (source.Tensors.Keys.Any(name => name.StartsWith(UNetPrefix, StringComparison.Ordinal) && name.Contains(part, StringComparison.Ordinal)))
                throw new BrumaException($"{source.Origin}: seems to be {what}, which Bruma does not draw with; it knows Stable Diffusion 1.x, 2.x and XL.");
        var fitting = ModelFamily.All.Where(family => family.Encoders.All(encoder => Has(source, encoder.Prefix))).ToList();
        if (fitting.Count > 0)
            return fitting.MaxBy(family => family.Encoders.Count)!;
        return ByContext(source);
    }

    private static bool Has(ITensorSource source, string prefix) => source.Tensors.Keys.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Files without text encoders: the width of the context tells.</summary>
    private static ModelFamily ByContext(ITensorSource source)
    {
        var key = source.Tensors.Keys.FirstOrDefault(name => name.StartsWith(UNetPrefix, StringComparison.Ordinal) && name.EndsWith(ContextKey, StringComparison.Ordinal));
        var width = key is null ? 0 : source.Tensors[key].Shape[^1];
        return ModelFamily.All.FirstOrDefault(family => family.UNet.CrossAttentionDim[0] == width) ?? throw new BrumaException(
            $"{source.Origin}: has a U-Net of the original layout, but of no family that Bruma knows ({(key is null ? "it looks at no text" : $"its text context is {width} wide")}); it knows 768 (SD 1.x), 1024 (SD 2.x), 2048 (XL) and 1280 (XL's refiner).");
    }

    private static string Seems(ITensorSource source) =>
        Others.FirstOrDefault(other => source.Tensors.Keys.Any(name => name.Contains(other.Part, StringComparison.Ordinal))).What
        ?? $"something else, with names such as \"{source.Tensors.Keys.Order(StringComparer.Ordinal).FirstOrDefault() ?? "none"}\"";
}
