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
        if (!_padsAfter && conv.weight.requires_grad && (x.shape[2] == 1 || x.shape[3] == 1))
            return OfOneRow(x).MoveToOuterDisposeScope();
        return FastConvolution.Run(conv, _padsAfter ? functional.pad(x, (0, 1, 0, 1)) : x, stride: 2, padding: _padsAfter ? 0 : 1).MoveToOuterDisposeScope();
    }

    /// <summary>The same for a map of one row or column, where only the middle taps meet a value: in bf16 oneDNN leaves the gradients of the others unset.</summary>
    private Tensor OfOneRow(Tensor x)
    {
        (Tensor weight, long[] padding) = (conv.weight, [1, 1]);
        for (var side = 0; side < 2; side++)
            if (x.shape[2 + side] == 1)
                (weight, padding[side]) = (weight.narrow(2 + side, 1, 1), 0);
        return functional.conv2d(x, weight, conv.bias, strides: [2, 2], padding: padding);
    }
}
