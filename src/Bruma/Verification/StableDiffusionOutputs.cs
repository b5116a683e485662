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

    public static Dictionary<string, Tensor> Of(AutoencoderTiny autoencoder, Dictionary<string, Tensor> inputs)
    {
        var latents = autoencoder.Encode(inputs["image"]);
        return new(StringComparer.Ordinal) { ["latents"] = latents, ["decoded"] = autoencoder.Decode(latents) };
    }

    /// <summary>The residuals, and what the U-Net beside the network makes of them; the same in guess mode.</summary>
    public static Dictionary<string, Tensor> Of(ControlNetModel control, Dictionary<string, Tensor> inputs, GoldenCase golden)
    {
        using var network = UNet2DConditionModel.Load(golden.PathOf(golden.Spec.GetProperty("unet_folder").GetString()!));
        var outputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (prefix, isGuessing) in new[] { ("", false), ("guess.", true) })
        {
            var signal = new ControlSignal(inputs["controlnet_cond"], golden.Spec.GetProperty("conditioning_scale").GetDouble(), isGuessing);
            var conditioning = Conditioning(inputs);
            var residuals = control.call(inputs["sample"], inputs["timestep"], conditioning, signal);
            for (var i = 0; i < residuals.Down.Count; i++)
                outputs[$"{prefix}down.{i}"] = residuals.Down[i];
            outputs[$"{prefix}mid"] = residuals.Mid;
            outputs[$"{prefix}unet_output"] = network.call(inputs["sample"], inputs["timestep"], conditioning with { DownResiduals = residuals.Down, MidResidual = residuals.Mid });
        }
        return outputs;
    }
}
