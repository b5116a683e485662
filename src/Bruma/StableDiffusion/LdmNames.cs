using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>The names of networks in the original single-file checkpoints, found from our own modules: for each module its old name.</summary>
internal static class LdmNames
{
    private static readonly (string Mine, string Theirs)[] UNetResnet =
    [
        ("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"), ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection"),
    ];

    private static readonly (string Mine, string Theirs)[] AutoencoderResnet =
        [("norm1", "norm1"), ("conv1", "conv1"), ("norm2", "norm2"), ("conv2", "conv2"), ("conv_shortcut", "nin_shortcut")];

    private static readonly (string Mine, string Theirs)[] AutoencoderAttention =
        [("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")];

    /// <summary>Where the parameters of a U-Net lie below <c>model.diffusion_model.</c></summary>
    public static Dictionary<string, TensorPart> UNet(UNet2DConditionConfig config)
    {
        using var network = new UNet2DConditionModel(config, new Device(TorchSharp.DeviceType.META));
        return Parts(network, UNetModules(config), _ => false);
    }

    /// <summary>Where the parameters of an autoencoder lie below <c>first_stage_model.</c>; its attention layers are 1x1 convolutions there.</summary>
    public static Dictionary<string, TensorPart> Autoencoder(AutoencoderKlConfig config)
    {
        using var network = new AutoencoderKl(config, new Device(TorchSharp.DeviceType.META));
        return Parts(network, AutoencoderModules(config), name => name.Contains(".attentions.", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal) && !name.Contains("group_norm", StringComparison.Ordinal));
    }

    private static Dictionary<string, TensorPart> Parts(Module network, Dictionary<string, string> modules, Func<string, bool> isConvolution)
    {
        var parts = new Dictionary<string, TensorPart>(StringComparer.Ordinal);
        foreach (var name in ModuleWeights.Keys(network))
            parts.Add(name, new TensorPart(Rename(name, modules), isConvolution(name) ? TensorForm.Matrix : TensorForm.Same));
        return parts;
    }

    /// <summary>Replaces the longest known module in front of a name; what is inside a transformer has the same name in both.</summary>
    private static string Rename(string name, Dictionary<string, string> modules)
    {
        for (var end = name.LastIndexOf('.'); end > 0; end = name.LastIndexOf('.', end - 1))
            if (modules.TryGetValue(name[..end], out var theirs))
                return theirs + name[end..];
        return name;
    }

    private static Dictionary<string, string> UNetModules(UNet2DConditionConfig config)
    {
        var modules = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["conv_in"] = "input_blocks.0.0",
            ["time_embedding.linear_1"] = "time_embed.0",
            ["time_embedding.linear_2"] = "time_embed.2",
            ["time_embedding.cond_proj"] = "time_embed.cond_proj",
            ["add_embedding.linear_1"] = "label_emb.0.0",
            ["add_embedding.linear_2"] = "label_emb.0.2",
            ["class_embedding"] = "label_emb",
            ["class_embedding.linear_1"] = "label_emb.0.0",
            ["class_embedding.linear_2"] = "label_emb.0.2",
            ["mid_block.attentions.0"] = "middle_block.1",
            ["conv_norm_out"] = "out.0",
            ["conv_out"] = "out.2",
        };
        AddAll(modules, "mid_block.resnets.0", "middle_block.0", UNetResnet);
        AddAll(modules, "mid_block.resnets.1", "middle_block.2", UNetResnet);
        AddInputs(modules, config);
        AddOutputs(modules, config);
        return modules;
    }

    private static void AddInputs(Dictionary<string, string> modules, UNet2DConditionConfig config)
    {
        var block = 1;
        for (var level = 0; level < config.Levels; level++)
        {
            for (var layer = 0; layer < config.LayersPerBlock[level]; layer++, block++)
            {
                AddAll(modules, $"down_blocks.{level}.resnets.{layer}", $"input_blocks.{block}.0", UNetResnet);
                modules[$"down_blocks.{level}.attentions.{layer}"] = $"input_blocks.{block}.1";
            }
            if (level < config.Levels - 1)
                modules[$"down_blocks.{level}.downsamplers.0.conv"] = $"input_blocks.{block++}.0.op";
        }
    }

    private static void AddOutputs(Dictionary<string, string> modules, UNet2DConditionConfig config)
    {
        var block = 0;
        for (var up = 0; up < config.Levels; up++)
        {
            for (var layer = 0; layer <= config.LayersPerBlock[config.Levels - 1 - up]; layer++, block++)
            {
                AddAll(modules, $"up_blocks.{up}.resnets.{layer}", $"output_blocks.{block}.0", UNetResnet);
                modules[$"up_blocks.{up}.attentions.{layer}"] = $"output_blocks.{block}.1";
            }
            var hasAttention = config.UpBlockTypes[up].StartsWith("CrossAttn", StringComparison.Ordinal);
            modules[$"up_blocks.{up}.upsamplers.0.conv"] = $"output_blocks.{block - 1}.{(hasAttention ? 2 : 1)}.conv";
        }
    }

    private static Dictionary<string, string> AutoencoderModules(AutoencoderKlConfig config)
    {
        var modules = new Dictionary<string, string>(StringComparer.Ordinal);
        var levels = config.BlockOutChannels.Length;
        foreach (var half in new[] { "encoder", "decoder" })
        {
            modules[$"{half}.conv_norm_out"] = $"{half}.norm_out";
            AddAll(modules, $"{half}.mid_block.resnets.0", $"{half}.mid.block_1", AutoencoderResnet);
            AddAll(modules, $"{half}.mid_block.resnets.1", $"{half}.mid.block_2", AutoencoderResnet);
            AddAll(modules, $"{half}.mid_block.attentions.0", $"{half}.mid.attn_1", AutoencoderAttention);
        }
        for (var level = 0; level < levels; level++)
        {
            modules[$"encoder.down_blocks.{level}.downsamplers.0.conv"] = $"encoder.down.{level}.downsample.conv";
            modules[$"decoder.up_blocks.{level}.upsamplers.0.conv"] = $"decoder.up.{levels - 1 - level}.upsample.conv";
            for (var layer = 0; layer <= config.LayersPerBlock; layer++)
            {
                AddAll(modules, $"encoder.down_blocks.{level}.resnets.{layer}", $"encoder.down.{level}.block.{layer}", AutoencoderResnet);
                AddAll(modules, $"decoder.up_blocks.{level}.resnets.{layer}", $"decoder.up.{levels - 1 - level}.block.{layer}", AutoencoderResnet);
            }
        }
        return modules;
    }

    private static void AddAll(Dictionary<string, string> modules, string mine, string theirs, (string Mine, string Theirs)[] parts)
    {
        foreach (var part in parts)
            modules[$"{mine}.{part.Mine}"] = $"{theirs}.{part.Theirs}";
    }
}
