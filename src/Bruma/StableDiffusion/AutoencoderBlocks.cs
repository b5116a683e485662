using Bruma.Diffusion;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>A level of the encoder: residual blocks, then half the resolution.</summary>
public sealed class EncoderBlock : Module<Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock> resnets = ModuleList<ResnetBlock>();
    private readonly ModuleList<Downsample2D> downsamplers = ModuleList<Downsample2D>();

    public EncoderBlock(long inChannels, long outChannels, int layers, bool halves, ResnetOptions options)
        : base(nameof(EncoderBlock))
    {
        for (var i = 0; i < layers; i++)
            resnets.Add(new ResnetBlock(i == 0 ? inChannels : outChannels, outChannels, options));
        if (halves)
            downsamplers.Add(new Downsample2D(outChannels, padding: 0, options.Device));
        RegisterComponents();
    }

    /// <returns>[B, C, H/2, W/2], or [B, C, H, W] on the last level.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        foreach (var resnet in resnets)
            x = resnet.call(x, null, null);
        foreach (var downsampler in downsamplers)
            x = downsampler.call(x);
        return x.MoveToOuterDisposeScope();
    }
}

/// <summary>A level of the decoder: residual blocks, then double the resolution.</summary>
public sealed class DecoderBlock : Module<Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock> resnets = ModuleList<ResnetBlock>();
    private readonly ModuleList<Upsample2D> upsamplers = ModuleList<Upsample2D>();

    public DecoderBlock(long inChannels, long outChannels, int layers, bool doubles, ResnetOptions options)
        : base(nameof(DecoderBlock))
    {
        for (var i = 0; i < layers; i++)
            resnets.Add(new ResnetBlock(i == 0 ? inChannels : outChannels, outChannels, options));
        if (doubles)
            upsamplers.Add(new Upsample2D(outChannels, options.Device));
        RegisterComponents();
    }

    /// <returns>[B, C, 2H, 2W], or [B, C, H, W] on the last level.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        foreach (var resnet in resnets)
            x = resnet.call(x, null, null);
        foreach (var upsampler in upsamplers)
            x = upsampler.call(x, [2 * x.shape[2], 2 * x.shape[3]]);
        return x.MoveToOuterDisposeScope();
    }
}
