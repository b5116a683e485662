using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>Convolutions that bring the picture that steers to the size and width of the latents' first features.</summary>
public sealed class ControlPictureEncoder : Module<Tensor, Tensor>
{
    /// <summary>1 over the root of the mean square that SiLU leaves of standard normal values.</summary>
    private const double SiluGain = 1.68;

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

    /// <summary>Weights that carry the picture through at about its strength.</summary>
    /// <remarks>Published ControlNets began with zeros at the end here, too. Behind them stand the zeros of the ControlNet, and with both nothing learns from the picture
    /// until the noise of training has moved one of them: hundreds of steps that a short run does not have.</remarks>
    internal void Initialize(Generator random)
    {
        foreach (var convolution in blocks.Prepend(conv_in))
            Initialization.Kaiming(convolution, SiluGain, random);
        Initialization.Kaiming(conv_out, 1, random);
    }

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
