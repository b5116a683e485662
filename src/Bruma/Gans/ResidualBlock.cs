using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>Pre-activation residual block that keeps, doubles or halves the resolution.</summary>
/// <remarks>Up: norm, activation, doubling, 3x3, norm, activation, 3x3; the skip path is doubled and, where widths differ, mixed by a 1x1 convolution.
/// Down: activation, 3x3, activation, 3x3, then both paths halved by averaging (Gulrajani et al. 2017, arXiv:1704.00028).</remarks>
public sealed class ResidualBlock : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor>? norm1;
    private readonly Module<Tensor, Tensor> conv1;
    private readonly Module<Tensor, Tensor>? norm2;
    private readonly Module<Tensor, Tensor> conv2;
    private readonly Module<Tensor, Tensor>? conv_shortcut;
    private readonly LayerSpec _layer;

    public ResidualBlock(LayerSpec layer) : base(nameof(ResidualBlock))
    {
        _layer = layer;
        if (layer.Resample is not (null or "none" or "up" or "down"))
            throw new BrumaException($"a ResidualBlock's \"resample\" is {layer.Resample}; expected up, down or none.");
        norm1 = layer.BatchNorm ? BatchNorm2d(layer.In) : null;
        conv1 = layer.Resample == "up" ? new UpsampledConv2d(layer.In, layer.Out) : Convolution(layer.In, 3);
        norm2 = layer.BatchNorm ? BatchNorm2d(layer.Out) : null;
        conv2 = Convolution(layer.Out, 3);
        conv_shortcut = layer.In == layer.Out ? null : Convolution(layer.In, 1);
        RegisterComponents();
    }

    /// <summary>The convolution that begins at 0 in networks without norms, so that the block begins as its skip path.</summary>
    internal Module<Tensor, Tensor> Last => conv2;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = conv1.call(Activate(norm1, x));
        h = conv2.call(Activate(norm2, h));

        // a 1x1 convolution and nearest doubling commute, and it is cheaper first
        var skip = _layer.Resample == "down" ? Halve(x) : x;
        skip = conv_shortcut is null ? skip : conv_shortcut.call(skip);
        var y = _layer.Resample switch
        {
            "up" => h + Double(skip),
            "down" => Halve(h) + skip,
            _ => h + skip,
        };
        return y.MoveToOuterDisposeScope();
    }

    private Tensor Activate(Module<Tensor, Tensor>? norm, Tensor x)
    {
        var normalised = norm is null ? x : norm.call(x);
        return _layer.Slope == 0 ? functional.relu(normalised) : functional.leaky_relu(normalised, _layer.Slope);
    }

    private Module<Tensor, Tensor> Convolution(int from, int kernel) => _layer.SpectralNorm
        ? new SpectralConv2d(LayerSpec.Conv(from, _layer.Out, kernel))
        : Conv2d(from, _layer.Out, kernel, padding: (kernel - 1) / 2);

    private static Tensor Halve(Tensor x) => functional.avg_pool2d(x, 2, 2);

    private static Tensor Double(Tensor x) => functional.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest);
}
