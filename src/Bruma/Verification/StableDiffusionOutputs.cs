using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Calls the networks of Stable Diffusion and names what they give as the cases do.</summary>
internal static class StableDiffusionOutputs
{
    public static UNetConditioning Conditioning(Dictionary<string, Tensor> inputs) => new(
        inputs["encoder_hidden_states"],
        inputs.GetValueOrDefault("timestep_cond"),
        inputs.GetValueOrDefault("class_labels"),
        inputs.GetValueOrDefault("text_embeds"),
        inputs.GetValueOrDefault("time_ids"));

    /// <summary>Decodes the given latents, else the mean.</summary>
    public static Dictionary<string, Tensor> Of(AutoencoderKl autoencoder, Dictionary<string, Tensor> inputs)
    {
        var latents = autoencoder.Encode(inputs["image"]);
        return new(StringComparer.Ordinal)
        {
            ["mean"] = latents.Mean,
            ["logvar"] = latents.LogVariance,
            ["kl"] = latents.KullbackLeibler(),
            ["decoded"] = autoencoder.Decode(inputs.GetValueOrDefault("latents") ?? latents.Mean),
        };
    }
}
