using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>Input of a level on the way up.</summary>
/// <param name="Features">[B, C, H, W].</param>
/// <param name="Skips">Those of the way down that are still to be used; the level takes as many as it has layers from the end.</param>
/// <param name="Time">Time embedding, [B, T].</param>
public readonly record struct UpInput(Tensor Features, Stack<Tensor> Skips, Tensor Time);

/// <summary>A level of a U-Net on the way up: residual blocks that each take a skip connection, with attention or without, then a higher resolution.</summary>
public sealed class UpBlock : Module<UpInput, Tensor>
{
    private readonly ModuleList<ResnetBlock> resnets = ModuleList<ResnetBlock>();
    private readonly ModuleList<SpatialAttention> attentions = ModuleList<SpatialAttention>();
    private readonly ModuleList<Module> upsamplers = ModuleList<Module>();

    /// <param name="inChannels">Of the features that enter.</param>
    /// <param name="skipChannels">Of the last skip connection, which comes from the next finer level; the others have <paramref name="outChannels"/>.</param>
    public UpBlock(long inChannels, long skipChannels, long outChannels, LevelOptions level)
        : base(nameof(UpBlock))
    {
        var options = level.Resnet;
        for (var i = 0; i < level.Layers; i++)
        {
            var entering = (i == 0 ? inChannels : outChannels) + (i == level.Layers - 1 ? skipChannels : outChannels);
            resnets.Add(new ResnetBlock(entering, outChannels, options));
            if (level.HeadWidth is { } headWidth)
                attentions.Add(new SpatialAttention(outChannels, headWidth, options.Groups, options.Eps, 1, options.Device));
        }
        if (level.Resampling == Resampling.Convolution)
            upsamplers.Add(new Upsample2D(outChannels, options.Device));
        else if (level.Resampling == Resampling.Resnet)
            upsamplers.Add(new ResnetBlock(outChannels, outChannels, options));
        RegisterComponents();
    }

    /// <returns>Features, [B, Cout, H, W] or the size of the next skip connection.</returns>
    public override Tensor forward(UpInput input)
    {
        using var scope = NewDisposeScope();
        var x = input.Features;
        for (var i = 0; i < resnets.Count; i++)
        {
            x = resnets[i].call(cat([x, input.Skips.Pop()], 1), input.Time, null);
            if (attentions.Count > 0)
                x = attentions[i].call(x);
        }
        foreach (var upsampler in upsamplers)
        {
            var size = input.Skips.Peek().shape[2..];
            x = upsampler is ResnetBlock resnet ? resnet.call(x, input.Time, size) : ((Upsample2D)upsampler).call(x, size);
        }
        return x.MoveToOuterDisposeScope();
    }
}
