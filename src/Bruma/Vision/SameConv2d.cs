using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision;

/// <summary>A convolution without bias and with TensorFlow's SAME padding: as many outputs as input / stride, rounded up; of an odd padding the larger half stands after.</summary>
public sealed class SameConv2d : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly int _kernel;
    private readonly int _stride;
    private readonly int _groups;
    private readonly long _dilation;

    /// <param name="groups">1, or the number of channels for a depthwise convolution.</param>
    public SameConv2d(int inputs, int outputs, int kernel, int stride = 1, int groups = 1) : base(nameof(SameConv2d))
    {
        (_kernel, _stride, _groups) = (kernel, stride, groups);
        _dilation = kernel == 1 ? 2 : 1; // no effect on one tap, but on one thread libtorch would otherwise leave oneDNN for a slower path that prints warnings
        weight = Parameter(empty(outputs, inputs / groups, kernel, kernel));
        weight.DetachFromDisposeScope();
        init.kaiming_normal_(weight, mode: init.FanInOut.FanOut);
        RegisterComponents();
    }

    /// <param name="x">[B, Cin, H, W].</param>
    /// <returns>[B, Cout, ceil(H / stride), ceil(W / stride)].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (top, bottom) = Padding(x.shape[2]);
        var (left, right) = Padding(x.shape[3]);
        if (top == bottom && left == right)
            return functional.conv2d(x, weight, padding: [top, left], strides: [_stride, _stride], dilation: [_dilation, _dilation], groups: _groups).MoveToOuterDisposeScope();
        var padded = functional.pad(x, [left, right, top, bottom]);
        return functional.conv2d(padded, weight, strides: [_stride, _stride], dilation: [_dilation, _dilation], groups: _groups).MoveToOuterDisposeScope();
    }

    private (long Before, long After) Padding(long size)
    {
        var total = Math.Max(((size + _stride - 1) / _stride - 1) * _stride + _kernel - size, 0);
        return (total / 2, total - total / 2);
    }
}
