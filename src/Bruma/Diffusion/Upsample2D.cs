using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>Nearest-neighbour interpolation, then a convolution.</summary>
public sealed class Upsample2D : Module<Tensor, long[], Tensor>
{
    private readonly Conv2d conv;

    public Upsample2D(long channels, Device? device = null)
        : base(nameof(Upsample2D))
    {
        conv = Conv2d(channels, channels, 3, padding: 1, device: device);
        RegisterComponents();
    }

    /// <param name="x">[B, C, h, w].</param>
    /// <param name="size">H and W of the result: usually the double, one less where the skip connection is odd.</param>
    /// <returns>[B, C, H, W].</returns>
    public override Tensor forward(Tensor x, long[] size)
    {
        using var scope = NewDisposeScope();
        return FastConvolution.Run(conv, functional.interpolate(x, size)).MoveToOuterDisposeScope();
    }
}
