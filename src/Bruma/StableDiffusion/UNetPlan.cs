using Bruma.Diffusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Turns the names and widths of a config into the levels of a text-conditional U-Net.</summary>
internal sealed class UNetPlan(UNet2DConditionConfig config, Device? device)
{
    private readonly ResnetOptions _resnet = new(
        config.ConditionWidth,
        config.NormNumGroups,
        config.NormEps,
        config.Dropout,
        config.ActFn,
        config.ResnetTimeScaleShift == "scale_shift" ? TimeShift.ScaleShift : TimeShift.Default,
        Device: device);

    private int[] Widths => config.BlockOutChannels;

    public void AddDownBlocks(ModuleList<CrossDownBlock> blocks)
    {
        for (var i = 0; i < Widths.Length; i++)
        {
            var depths = Depths(config.TransformerLayersPerBlock[i], config.LayersPerBlock[i]);
            blocks.Add(new CrossDownBlock(Widths[Math.Max(i - 1, 0)], Widths[i], Level(config.DownBlockTypes[i], i, depths, i < Widths.Length - 1)));
        }
    }

    public CrossMidBlock? CreateMidBlock() => config.MidBlockType is null
        ? null
        : new CrossMidBlock(Widths[^1], config.TransformerLayersPerBlock[config.Levels - 1][0], Transformer(config.Levels - 1) with { OnlyCross = false }, _resnet with { OutputScale = config.MidBlockScaleFactor });

    /// <summary>The way up mirrors the way down; each level has one layer more, for the skip connection of the resampling.</summary>
    public void AddUpBlocks(ModuleList<CrossUpBlock> blocks)
    {
        for (var i = 0; i < Widths.Length; i++)
        {
            var level = Widths.Length - 1 - i;
            var depths = Depths(config.ReverseTransformerLayersPerBlock?[i] ?? config.TransformerLayersPerBlock[level], config.LayersPerBlock[level] + 1);
            var widths = (Widths[Math.Min(level + 1, Widths.Length - 1)], Widths[level], Widths[Math.Max(level - 1, 0)]);
            blocks.Add(new CrossUpBlock(widths, Level(config.UpBlockTypes[i], level, depths, level > 0)));
        }
    }

    private static int[] Depths(int[] depths, int layers) => depths.Length == 1 ? [.. Enumerable.Repeat(depths[0], layers)] : depths;

    private CrossLevelOptions Level(string type, int level, int[] depths, bool resamples) =>
        new(depths, type.StartsWith("CrossAttn", StringComparison.Ordinal) ? Transformer(level) : null, resamples, config.DownsamplePadding, _resnet);

    private TransformerOptions Transformer(int level) =>
        new(config.AttentionHeadDim[level], config.CrossAttentionDim[level], config.NormNumGroups, config.UseLinearProjection, config.OnlyCrossAttention[level], config.Dropout, device);
}
