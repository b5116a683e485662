using Bruma.Diffusion;
using Bruma.Hub;
using Bruma.Nn;

namespace Bruma.StableDiffusion;

/// <summary>The config of diffusers' AutoencoderKL, with its keys and defaults.</summary>
/// <param name="BlockOutChannels">From the pictures inwards; each level but the last halves the resolution.</param>
/// <param name="LatentChannels">4 for Stable Diffusion.</param>
/// <param name="SampleSize">Side of the pictures for which it was trained; it takes any that the levels divide.</param>
/// <param name="ScalingFactor">What pipelines multiply encoded latents by, for unit variance; not applied inside.</param>
/// <param name="ShiftFactor">What pipelines subtract before they scale; null for 0.</param>
/// <param name="ForceUpcast">Whether fp16 is too narrow for it; bf16 and fp32 are not.</param>
/// <param name="MidBlockAddAttention">Whether the middle blocks have attention.</param>
public sealed record AutoencoderKlConfig(
    int InChannels = 3,
    int OutChannels = 3,
    string[]? DownBlockTypes = null,
    string[]? UpBlockTypes = null,
    int[]? BlockOutChannels = null,
    int LayersPerBlock = 1,
    string ActFn = "silu",
    int LatentChannels = 4,
    int NormNumGroups = 32,
    SampleSize? SampleSize = null,
    double ScalingFactor = 0.18215,
    double? ShiftFactor = null,
    double[]? LatentsMean = null,
    double[]? LatentsStd = null,
    bool ForceUpcast = true,
    bool UseQuantConv = true,
    bool UsePostQuantConv = true,
    bool MidBlockAddAttention = true) : ICheckedConfig
{
    public string[] DownBlockTypes { get; init; } = DownBlockTypes ?? ["DownEncoderBlock2D"];

    public string[] UpBlockTypes { get; init; } = UpBlockTypes ?? ["UpDecoderBlock2D"];

    public int[] BlockOutChannels { get; init; } = BlockOutChannels ?? [64];

    /// <summary>How many pixels a side of the latents covers: 8 for Stable Diffusion.</summary>
    internal int Reduction => 1 << (BlockOutChannels.Length - 1);

    public void Check(ConfigCheck check)
    {
        check.OneOf("act_fn", ActFn, Activation.Names);
        foreach (var block in DownBlockTypes)
            check.OneOf("down_block_types", block, "DownEncoderBlock2D");
        foreach (var block in UpBlockTypes)
            check.OneOf("up_block_types", block, "UpDecoderBlock2D");
        check.Require(BlockOutChannels.Length > 0 && BlockOutChannels.Length == DownBlockTypes.Length, "down_block_types", DownBlockTypes.Length, $"as many as \"block_out_channels\", {BlockOutChannels.Length}");
        check.Require(BlockOutChannels.Length == UpBlockTypes.Length, "up_block_types", UpBlockTypes.Length, $"as many as \"block_out_channels\", {BlockOutChannels.Length}");
        foreach (var channels in BlockOutChannels)
            check.Require(channels > 0, "block_out_channels", channels, "widths above 0");
        check.Require(InChannels > 0, "in_channels", InChannels, "a number above 0");
        check.Require(OutChannels > 0, "out_channels", OutChannels, "a number above 0");
        check.Require(LatentChannels > 0, "latent_channels", LatentChannels, "a number above 0");
        check.Require(LayersPerBlock > 0, "layers_per_block", LayersPerBlock, "a number above 0");
        check.Require(ScalingFactor > 0, "scaling_factor", ScalingFactor, "a number above 0");
    }
}
