using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>What a level on the way down hands on.</summary>
/// <param name="Output">[B, C, H/2, W/2], or [B, C, H, W] on the last level.</param>
/// <param name="Skips">What each residual block and the resampling gave, for the way up; the last is the output.</param>
public readonly record struct DownResult(Tensor Output, Tensor[] Skips);

/// <summary>A level of a U-Net on the way down: residual blocks, each with attention or without, then a lower resolution.</summary>
public sealed class DownBlock : Module<Tensor, Tensor, DownResult>
{
    private readonly ModuleList<ResnetBlock> resnets = ModuleList<ResnetBlock>();
    private readonly ModuleList<SpatialAttention> attentions = ModuleList<SpatialAttention>();
    private readonly ModuleList<Module> downsamplers = ModuleList<Module>();

    public DownBlock(long inChannels, long outChannels, LevelOptions level)
        : base(nameof(DownBlock))
    {
        var options = level.Resnet;
        for (var i = 0; i < level.Layers; i++)
        {
            resnets.Add(new ResnetBlock(i == 0 ? inChannels : outChannels, outChannels, options));
            if (level.HeadWidth is { } headWidth)
                attentions.Add(new SpatialAttention(outChannels, headWidth, options.Groups, options.Eps, 1, options.Device));
        }
        if (level.Resampling == Resampling.Convolution)
            downsamplers.Add(new Downsample2D(outChannels, level.DownPadding, options.Device));
        else if (level.Resampling == Resampling.Resnet)
            downsamplers.Add(new ResnetBlock(outChannels, outChannels, options, halves: true));
        RegisterComponents();
    }

    /// <param name="x">Features, [B, Cin, H, W].</param>
    /// <param name="time">Time embedding, [B, T].</param>
    public override DownResult forward(Tensor x, Tensor time)
    {
        using var scope = NewDisposeScope();
        var skips = new List<Tensor>();
        for (var i = 0; i < resnets.Count; i++)
        {
            x = resnets[i].call(x, time, null);
            if (attentions.Count > 0)
                x = attentions[i].call(x);
            skips.Add(x);
        }
        foreach (var downsampler in downsamplers)
            skips.Add(x = downsampler is ResnetBlock resnet ? resnet.call(x, time, null) : ((Downsample2D)downsampler).call(x));
        foreach (var skip in skips)
            skip.MoveToOuterDisposeScope();
        return new DownResult(x, [.. skips]);
    }
}
