using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>Halves the resolution by a convolution with stride 2.</summary>
public sealed class Downsample2D : Module<Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly bool _padsAfter;

    /// <param name="padding">1 pads all sides; 0 pads one row below and one column to the right.</param>
    public Downsample2D(long channels, long padding, Device? device = null)
        : base(nameof(Downsample2D))
    {
        conv = Conv2d(channels, channels, 3, stride: 2, padding: padding, device: device);
        _padsAfter = padding == 0;
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W].</param>
    /// <returns>[B, C, H/2, W/2], rounded up with padding 1 and down with padding 0.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return FastConvolution.Run(conv, _padsAfter ? functional.pad(x, (0, 1, 0, 1)) : x, stride: 2, padding: _padsAfter ? 0 : 1).MoveToOuterDisposeScope();
    }
}
