using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>The bottom of a U-Net: a residual block, attention, a residual block.</summary>
public sealed class MidBlock : Module<Tensor, Tensor?, Tensor>
{
    private readonly ModuleList<ResnetBlock> resnets;
    private readonly ModuleList<SpatialAttention> attentions;

    /// <param name="headWidth">Of the attention; null for none.</param>
    /// <param name="attentionGroups">Of the attention's norm; null for no norm.</param>
    public MidBlock(long channels, long? headWidth, long? attentionGroups, ResnetOptions options)
        : base(nameof(MidBlock))
    {
        resnets = ModuleList(new ResnetBlock(channels, channels, options), new ResnetBlock(channels, channels, options));
        attentions = headWidth is { } width
            ? ModuleList(new SpatialAttention(channels, width, attentionGroups, options.Eps, options.OutputScale, options.Device))
            : ModuleList<SpatialAttention>();
        RegisterComponents();
    }

    /// <param name="x">Features, [B, C, H, W].</param>
    /// <param name="time">Time embedding, [B, T]; null exactly when the block was built without one.</param>
    /// <returns>Features, [B, C, H, W].</returns>
    public override Tensor forward(Tensor x, Tensor? time)
    {
        using var scope = NewDisposeScope();
        x = resnets[0].call(x, time, null);
        foreach (var attention in attentions)
            x = attention.call(x);
        return resnets[1].call(x, time, null).MoveToOuterDisposeScope();
    }
}
