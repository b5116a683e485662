using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>Turns the names and widths of a config into the levels of a U-Net.</summary>
internal sealed class UNet2DPlan(UNet2DConfig config, Device? device)
{
    private readonly ResnetOptions _resnet = new(
        config.TimeWidth,
        config.NormNumGroups,
        config.NormEps,
        config.Dropout,
        config.ActFn,
        config.ResnetTimeScaleShift == "scale_shift" ? TimeShift.ScaleShift : TimeShift.Default,
        Device: device);

    private int[] Widths => config.BlockOutChannels;

    public void AddDownBlocks(ModuleList<DownBlock> blocks)
    {
        for (var i = 0; i < Widths.Length; i++)
            blocks.Add(new DownBlock(Widths[Math.Max(i - 1, 0)], Widths[i], Level(config.DownBlockTypes[i], Widths[i], config.LayersPerBlock, i == Widths.Length - 1)));
    }

    public MidBlock? CreateMidBlock()
    {
        if (config.MidBlockType is null)
            return null;
        var groups = config.AttnNormNumGroups ?? (_resnet.TimeShift == TimeShift.Default ? config.NormNumGroups : null);
        return new MidBlock(Widths[^1], config.AddAttention ? HeadWidth(Widths[^1]) : null, groups, _resnet with { OutputScale = config.MidBlockScaleFactor });
    }

    /// <summary>The way up mirrors the way down; each level has one layer more, for the skip connection of the resampling.</summary>
    public void AddUpBlocks(ModuleList<UpBlock> blocks)
    {
        for (var i = 0; i < Widths.Length; i++)
        {
            var (entering, width, skip) = (Widths[^Math.Max(i, 1)], Widths[^(i + 1)], Widths[^Math.Min(i + 2, Widths.Length)]);
            blocks.Add(new UpBlock(entering, skip, width, Level(config.UpBlockTypes[i], width, config.LayersPerBlock + 1, i == Widths.Length - 1)));
        }
    }

    private LevelOptions Level(string type, int width, int layers, bool isLast)
    {
        var attends = type.StartsWith("Attn", StringComparison.Ordinal);
        var resampling = (attends, type) switch
        {
            _ when isLast => Resampling.None,
            (true, "AttnDownBlock2D") => config.DownsampleType == "resnet" ? Resampling.Resnet : Resampling.Convolution,
            (true, _) => config.UpsampleType == "resnet" ? Resampling.Resnet : Resampling.Convolution,
            (false, "ResnetDownsampleBlock2D" or "ResnetUpsampleBlock2D") => Resampling.Resnet,
            _ => Resampling.Convolution,
        };
        return new LevelOptions(layers, attends ? HeadWidth(width) : null, resampling, config.DownsamplePadding, _resnet);
    }

    private long HeadWidth(int width) => config.AttentionHeadDim ?? width;
}
