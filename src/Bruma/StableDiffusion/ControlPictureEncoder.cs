using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>Convolutions that bring the picture that steers to the size and width of the latents' first features.</summary>
public sealed class ControlPictureEncoder : Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly ModuleList<Conv2d> blocks = ModuleList<Conv2d>();
    private readonly Conv2d conv_out;

    internal ControlPictureEncoder(ControlNetConfig config, Device? device)
        : base(nameof(ControlPictureEncoder))
    {
        var widths = config.ConditioningEmbeddingOutChannels;
        conv_in = Conv2d(config.ConditioningChannels, widths[0], 3, padding: 1, device: device);
        for (var i = 1; i < widths.Length; i++)
        {
            blocks.Add(Conv2d(widths[i - 1], widths[i - 1], 3, padding: 1, device: device));
            blocks.Add(Conv2d(widths[i - 1], widths[i], 3, stride: 2, padding: 1, device: device));
        }
        conv_out = Conv2d(widths[^1], config.BlockOutChannels[0], 3, padding: 1, device: device);
        RegisterComponents();
    }

    /// <summary>The convolution that begins at zero, so that a fresh ControlNet changes nothing.</summary>
    public Conv2d Output => conv_out;

    /// <param name="picture">[B, 3, 8h, 8w].</param>
    /// <returns>[B, C, h, w].</returns>
    public override Tensor forward(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var x = functional.silu(conv_in.call(picture));
        foreach (var block in blocks)
            x = functional.silu(block.call(x));
        return conv_out.call(x).MoveToOuterDisposeScope();
    }
}
