using Bruma.Diffusion;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>What one level of a text-conditional U-Net consists of.</summary>
/// <param name="Depths">Transformer blocks after each residual block.</param>
/// <param name="Transformer">null for a level without attention.</param>
/// <param name="Resamples">Whether the resolution changes at the end.</param>
public sealed record CrossLevelOptions(int[] Depths, TransformerOptions? Transformer, bool Resamples, long DownPadding, ResnetOptions Resnet);

/// <summary>Input of a level: features [B, C, H, W], time embedding [B, T], text [B, S, D] (null where there is none).</summary>
public readonly record struct CrossInput(Tensor Features, Tensor Time, Tensor? Context);

/// <summary>A level on the way down: residual blocks, each with a transformer or without, then half the resolution.</summary>
public sealed class CrossDownBlock : Module<CrossInput, DownResult>
{
    private readonly ModuleList<ResnetBlock> resnets = ModuleList<ResnetBlock>();
    private readonly ModuleList<SpatialTransformer> attentions = ModuleList<SpatialTransformer>();
    private readonly ModuleList<Downsample2D> downsamplers = ModuleList<Downsample2D>();

    public CrossDownBlock(long inChannels, long outChannels, CrossLevelOptions level)
        : base(nameof(CrossDownBlock))
    {
        for (var i = 0; i < level.Depths.Length; i++)
        {
            resnets.Add(new ResnetBlock(i == 0 ? inChannels : outChannels, outChannels, level.Resnet));
            if (level.Transformer is not null)
                attentions.Add(new SpatialTransformer(outChannels, level.Depths[i], level.Transformer));
        }
        if (level.Resamples)
            downsamplers.Add(new Downsample2D(outChannels, level.DownPadding, level.Resnet.Device));
        RegisterComponents();
    }

    public override DownResult forward(CrossInput input)
    {
        using var scope = NewDisposeScope();
        var (x, skips) = (input.Features, new List<Tensor>());
        for (var i = 0; i < resnets.Count; i++)
        {
            x = resnets[i].call(x, input.Time, null);
            if (attentions.Count > 0)
                x = attentions[i].call(x, input.Context);
            skips.Add(x);
        }
        foreach (var downsampler in downsamplers)
            skips.Add(x = downsampler.call(x));
        foreach (var skip in skips)
            skip.MoveToOuterDisposeScope();
        return new DownResult(x, [.. skips]);
    }
}

/// <summary>The bottom: a residual block, a transformer, a residual block.</summary>
public sealed class CrossMidBlock : Module<CrossInput, Tensor>
{
    private readonly ModuleList<ResnetBlock> resnets;
    private readonly ModuleList<SpatialTransformer> attentions;

    public CrossMidBlock(long channels, int depth, TransformerOptions transformer, ResnetOptions resnet)
        : base(nameof(CrossMidBlock))
    {
        resnets = ModuleList(new ResnetBlock(channels, channels, resnet), new ResnetBlock(channels, channels, resnet));
        attentions = ModuleList(new SpatialTransformer(channels, depth, transformer));
        RegisterComponents();
    }

    /// <returns>[B, C, H, W].</returns>
    public override Tensor forward(CrossInput input)
    {
        using var scope = NewDisposeScope();
        var x = resnets[0].call(input.Features, input.Time, null);
        x = attentions[0].call(x, input.Context);
        return resnets[1].call(x, input.Time, null).MoveToOuterDisposeScope();
    }
}
