using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision.Inception;

/// <summary>Convolution without bias, batch norm, ReLU: Inception's unit. Checkpoint keys <c>conv</c> and <c>bn</c>.</summary>
public sealed class InceptionConv2d : Module<Tensor, Tensor>
{
    private const double Eps = 1e-3;

    private readonly Conv2d conv;
    private readonly BatchNorm2d bn;

    /// <param name="kernel">Height and width; an even padding of (kernel - 1) / 2 when <paramref name="isPadded"/>.</param>
    public InceptionConv2d(int inputs, int outputs, (int Height, int Width) kernel, int stride = 1, bool isPadded = true) : base(nameof(InceptionConv2d))
    {
        var padding = isPadded ? ((kernel.Height - 1L) / 2, (kernel.Width - 1L) / 2) : (0L, 0L);
        conv = Conv2d(inputs, outputs, ((long)kernel.Height, (long)kernel.Width), stride: (stride, stride), padding: padding, bias: false);
        bn = BatchNorm2d(outputs, Eps);
        RegisterComponents();
    }

    public InceptionConv2d(int inputs, int outputs, int kernel, int stride = 1, bool isPadded = true) : this(inputs, outputs, (kernel, kernel), stride, isPadded)
    {
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return functional.relu(bn.call(conv.call(x))).MoveToOuterDisposeScope();
    }
}
