using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using static TorchSharp.torch.nn.functional;

namespace Bruma.Diffusion;

/// <summary>Halves height and width by a strided convolution.</summary>
public sealed class Downsample2D : Module<Tensor, Tensor>
{
    private readonly bool _padRightAndBottom;
    private readonly Conv2d conv;

    /// <param name="padding">1, or 0 to pad right and bottom by one.</param>
    public Downsample2D(int channels, int padding) : base(nameof(Downsample2D))
    {
        _padRightAndBottom = padding == 0;
        conv = Conv2d(channels, channels, 3, stride: 2, padding: padding);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return conv.call(_padRightAndBottom ? pad(x, [0, 1, 0, 1]) : x).MoveToOuterDisposeScope();
    }
}

/// <summary>Doubles height and width, or meets a given size, by the nearest neighbour, then convolves.</summary>
public sealed class Upsample2D : Module<Tensor, long[], Tensor>
{
    private readonly Conv2d conv;

    public Upsample2D(int channels) : base(nameof(Upsample2D))
    {
        conv = Conv2d(channels, channels, 3, padding: 1);
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W].</param>
    /// <param name="size">Height and width to reach: those of the skip connection.</param>
    public override Tensor forward(Tensor x, long[] size)
    {
        using var scope = NewDisposeScope();
        return conv.call(interpolate(x, size, mode: InterpolationMode.Nearest)).MoveToOuterDisposeScope();
    }
}

/// <summary>One resolution on the way down, with or without attention.</summary>
public sealed class DownBlock2D : Module<Tensor, Tensor, (Tensor, IReadOnlyList<Tensor>)>
{
    private readonly ModuleList<ResnetBlock2D> resnets = [];
    private readonly ModuleList<SpatialSelfAttention>? attentions;
    private readonly ModuleList<Downsample2D>? downsamplers;

    public DownBlock2D(UNet2DConfig config, int level) : base(nameof(DownBlock2D))
    {
        var settings = UNet2DModel.Resnets(config);
        var width = config.Widths[level];
        if (config.Downs[level] == "AttnDownBlock2D")
            attentions = [];
        for (var i = 0; i < config.LayersPerBlock; i++)
        {
            resnets.Add(new ResnetBlock2D(i == 0 ? config.Widths[Math.Max(level - 1, 0)] : width, width, settings));
            attentions?.Add(UNet2DModel.Attention(config, width));
        }
        if (level < config.Widths.Count - 1)
            downsamplers = [new Downsample2D(width, config.DownsamplePadding)];
        RegisterComponents();
    }

    /// <returns>The features, and every layer's for the skip connections.</returns>
    public override (Tensor, IReadOnlyList<Tensor>) forward(Tensor x, Tensor time)
    {
        using var scope = NewDisposeScope();
        var skips = new List<Tensor>();
        for (var i = 0; i < resnets.Count; i++)
        {
            x = resnets[i].call(x, time);
            if (attentions is not null)
                x = attentions[i].call(x);
            skips.Add(x);
        }
        if (downsamplers is not null)
            skips.Add(x = downsamplers[0].call(x));
        foreach (var skip in skips)
            skip.MoveToOuterDisposeScope();
        return (x, skips);
    }
}

/// <summary>The lowest resolution: resnet, attention, resnet.</summary>
public sealed class UNetMidBlock2D : Module<Tensor, Tensor, Tensor>
{
    private readonly ModuleList<SpatialSelfAttention> attentions = [];
    private readonly ModuleList<ResnetBlock2D> resnets = [];

    public UNetMidBlock2D(UNet2DConfig config) : base(nameof(UNetMidBlock2D))
    {
        var settings = UNet2DModel.Resnets(config) with { OutputScale = config.MidBlockScaleFactor };
        var width = config.Widths[^1];
        resnets.Add(new ResnetBlock2D(width, width, settings));
        if (config.AddAttention)
            attentions.Add(UNet2DModel.Attention(config, width, config.MidBlockScaleFactor));
        resnets.Add(new ResnetBlock2D(width, width, settings));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor time)
    {
        using var scope = NewDisposeScope();
        x = resnets[0].call(x, time);
        if (attentions.Count > 0)
            x = attentions[0].call(x);
        return resnets[1].call(x, time).MoveToOuterDisposeScope();
    }
}

/// <summary>One resolution on the way up: every layer takes a skip connection.</summary>
public sealed class UpBlock2D : Module<Tensor, Stack<Tensor>, Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock2D> resnets = [];
    private readonly ModuleList<SpatialSelfAttention>? attentions;
    private readonly ModuleList<Upsample2D>? upsamplers;

    /// <param name="index">0 for the lowest resolution.</param>
    public UpBlock2D(UNet2DConfig config, int index) : base(nameof(UpBlock2D))
    {
        var settings = UNet2DModel.Resnets(config);
        var level = config.Widths.Count - 1 - index;
        var width = config.Widths[level];
        var below = config.Widths[Math.Min(level + 1, config.Widths.Count - 1)];
        var above = config.Widths[Math.Max(level - 1, 0)];
        if (config.Ups[index] == "AttnUpBlock2D")
            attentions = [];
        for (var i = 0; i <= config.LayersPerBlock; i++)
        {
            resnets.Add(new ResnetBlock2D((i == 0 ? below : width) + (i == config.LayersPerBlock ? above : width), width, settings));
            attentions?.Add(UNet2DModel.Attention(config, width));
        }
        if (level > 0)
            upsamplers = [new Upsample2D(width)];
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W].</param>
    /// <param name="skips">Skip connections, the next one on top; this block takes its own.</param>
    /// <param name="time">[B, T].</param>
    public override Tensor forward(Tensor x, Stack<Tensor> skips, Tensor time)
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < resnets.Count; i++)
        {
            x = resnets[i].call(cat([x, skips.Pop()], 1), time);
            if (attentions is not null)
                x = attentions[i].call(x);
        }
        if (upsamplers is not null)
            x = upsamplers[0].call(x, skips.Peek().shape[2..]);
        return x.MoveToOuterDisposeScope();
    }
}
