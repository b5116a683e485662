using Bruma.Diffusion;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>From pictures to the parameters of a distribution over latents.</summary>
public sealed class Encoder : Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly ModuleList<EncoderBlock> down_blocks = ModuleList<EncoderBlock>();
    private readonly MidBlock mid_block;
    private readonly ActivatedGroupNorm conv_norm_out;
    private readonly Conv2d conv_out;

    internal Encoder(AutoencoderKlConfig config, ResnetOptions options)
        : base(nameof(Encoder))
    {
        var widths = config.BlockOutChannels;
        conv_in = Conv2d(config.InChannels, widths[0], 3, padding: 1, device: options.Device);
        for (var i = 0; i < widths.Length; i++)
            down_blocks.Add(new EncoderBlock(widths[Math.Max(i - 1, 0)], widths[i], config.LayersPerBlock, i < widths.Length - 1, options));
        mid_block = new MidBlock(widths[^1], config.MidBlockAddAttention ? widths[^1] : null, options.Groups, options);
        conv_norm_out = new ActivatedGroupNorm(options.Groups, widths[^1], options.Eps, device: options.Device);
        conv_out = Conv2d(widths[^1], 2 * config.LatentChannels, 3, padding: 1, device: options.Device);
        RegisterComponents();
    }

    /// <param name="x">Pictures, [B, 3, H, W] in [-1, 1].</param>
    /// <returns>[B, 2 * 4, H/8, W/8].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = conv_in.call(x);
        foreach (var block in down_blocks)
            x = block.call(x);
        x = mid_block.call(x, null);
        return conv_out.call(conv_norm_out.call(x, null)).MoveToOuterDisposeScope();
    }
}

/// <summary>From latents to pictures.</summary>
public sealed class Decoder : Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly MidBlock mid_block;
    private readonly ModuleList<DecoderBlock> up_blocks = ModuleList<DecoderBlock>();
    private readonly ActivatedGroupNorm conv_norm_out;
    private readonly Conv2d conv_out;

    internal Decoder(AutoencoderKlConfig config, ResnetOptions options)
        : base(nameof(Decoder))
    {
        var widths = config.BlockOutChannels;
        conv_in = Conv2d(config.LatentChannels, widths[^1], 3, padding: 1, device: options.Device);
        mid_block = new MidBlock(widths[^1], config.MidBlockAddAttention ? widths[^1] : null, options.Groups, options);
        for (var i = widths.Length - 1; i >= 0; i--)
            up_blocks.Add(new DecoderBlock(widths[Math.Min(i + 1, widths.Length - 1)], widths[i], config.LayersPerBlock + 1, i > 0, options));
        conv_norm_out = new ActivatedGroupNorm(options.Groups, widths[0], options.Eps, device: options.Device);
        conv_out = Conv2d(widths[0], config.OutChannels, 3, padding: 1, device: options.Device);
        RegisterComponents();
    }

    /// <summary>The last convolution.</summary>
    public Conv2d Output => conv_out;

    /// <param name="x">Latents, [B, 4, H/8, W/8].</param>
    /// <returns>Pictures, [B, 3, H, W].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = mid_block.call(conv_in.call(x), null);
        foreach (var block in up_blocks)
            x = block.call(x);
        return conv_out.call(conv_norm_out.call(x, null)).MoveToOuterDisposeScope();
    }
}
