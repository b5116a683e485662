using Bruma.Diffusion;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>Input of a level on the way up.</summary>
/// <param name="Level">Features, time and text.</param>
/// <param name="Skips">Those of the way down that are still to be used; the level takes as many as it has layers from the end.</param>
public readonly record struct CrossUpInput(CrossInput Level, Stack<Tensor> Skips);

/// <summary>A level on the way up: residual blocks that each take a skip connection, with a transformer or without, then double the resolution.</summary>
public sealed class CrossUpBlock : Module<CrossUpInput, Tensor>
{
    private readonly ModuleList<ResnetBlock> resnets = ModuleList<ResnetBlock>();
    private readonly ModuleList<SpatialTransformer> attentions = ModuleList<SpatialTransformer>();
    private readonly ModuleList<Upsample2D> upsamplers = ModuleList<Upsample2D>();

    /// <param name="widths">Channels that enter, that leave, and of the last skip connection, which comes from the next finer level.</param>
    public CrossUpBlock((long Entering, long Leaving, long LastSkip) widths, CrossLevelOptions level)
        : base(nameof(CrossUpBlock))
    {
        var layers = level.Depths.Length;
        for (var i = 0; i < layers; i++)
        {
            var entering = (i == 0 ? widths.Entering : widths.Leaving) + (i == layers - 1 ? widths.LastSkip : widths.Leaving);
            resnets.Add(new ResnetBlock(entering, widths.Leaving, level.Resnet));
            if (level.Transformer is not null)
                attentions.Add(new SpatialTransformer(widths.Leaving, level.Depths[i], level.Transformer));
        }
        if (level.Resamples)
            upsamplers.Add(new Upsample2D(widths.Leaving, level.Resnet.Device));
        RegisterComponents();
    }

    /// <returns>Features, [B, Cout, H, W] or the size of the next skip connection.</returns>
    public override Tensor forward(CrossUpInput input)
    {
        using var scope = NewDisposeScope();
        var (x, time, context) = input.Level;
        for (var i = 0; i < resnets.Count; i++)
        {
            x = resnets[i].call(cat([x, input.Skips.Pop()], 1), time, null);
            if (attentions.Count > 0)
                x = attentions[i].call(x, context);
        }
        foreach (var upsampler in upsamplers)
            x = upsampler.call(x, input.Skips.Peek().shape[2..]);
        return x.MoveToOuterDisposeScope();
    }
}
