using Bruma.Hub;

namespace Bruma.Adapters;

/// <summary>What a LoRA file seems to be made for, to say so when it does not fit.</summary>
internal static class LoraFamily
{
    private static readonly (string Mark, string Family)[] Marks =
    [
        ("lora_te2_", "Stable Diffusion XL"), ("text_encoder_2.", "Stable Diffusion XL"), ("double_blocks", "Flux"), ("single_transformer_blocks", "Flux"), ("single_blocks", "Flux"),
        ("joint_blocks", "Stable Diffusion 3"), ("joint_transformer_blocks", "Stable Diffusion 3"), ("lora_prior_unet", "Stable Cascade"), ("query_key_value", "a language model"),
        ("self_attn.q_proj", "a text model"), ("down_blocks", "a U-Net of Stable Diffusion"), ("input_blocks", "Stable Diffusion XL"),
    ];

    private static readonly Dictionary<long, string> ByContextWidth = new() { [768] = "Stable Diffusion 1.x", [1024] = "Stable Diffusion 2.x", [2048] = "Stable Diffusion XL", [1280] = "the refiner of Stable Diffusion XL" };

    public static string? Guess(ITensorSource source)
    {
        var context = source.Tensors.FirstOrDefault(pair => LoraKey.Parse(pair.Key) is { Part: LoraPart.Down } key && (key.Layer.EndsWith("attn2_to_k", StringComparison.Ordinal) || key.Layer.EndsWith("attn2.to_k", StringComparison.Ordinal)));
        if (context.Value is { Shape.Length: >= 2 } info && ByContextWidth.TryGetValue(info.Shape[1], out var family))
            return family;
        return Marks.FirstOrDefault(mark => source.Tensors.Keys.Any(key => key.Contains(mark.Mark, StringComparison.Ordinal))).Family;
    }
}
