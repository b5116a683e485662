using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision;

/// <summary>Widen by a 1x1 convolution, filter each channel by itself, narrow again; the input is added where shapes agree.</summary>
/// <remarks>The inverted residual of MobileNetV2 (arXiv:1801.04381) with ReLU6, without squeeze and excitation.</remarks>
public sealed class EfficientNetBlock : Module<Tensor, Tensor>
{
    private readonly SameConv2d? _expand_conv;
    private readonly BatchNorm2d? _bn0;
    private readonly SameConv2d _depthwise_conv;
    private readonly BatchNorm2d _bn1;
    private readonly SameConv2d _project_conv;
    private readonly BatchNorm2d _bn2;
    private readonly bool _isResidual;

    /// <param name="inputs">Channels of the input.</param>
    /// <param name="stage">Kernel, stride, expansion and width.</param>
    /// <param name="eps">Of the batch norms.</param>
    public EfficientNetBlock(int inputs, EfficientNetStage stage, double eps) : base(nameof(EfficientNetBlock))
    {
        var wide = inputs * stage.Expand;
        if (stage.Expand != 1)
        {
            _expand_conv = new SameConv2d(inputs, wide, 1);
            _bn0 = EfficientNetLite0.Norm(wide, eps);
        }
        _depthwise_conv = new SameConv2d(wide, wide, stage.Kernel, stage.Stride, groups: wide);
        _bn1 = EfficientNetLite0.Norm(wide, eps);
        _project_conv = new SameConv2d(wide, stage.Channels, 1);
        _bn2 = EfficientNetLite0.Norm(stage.Channels, eps);
        _isResidual = stage.Stride == 1 && inputs == stage.Channels;
        RegisterComponents();
    }

    /// <param name="x">[B, Cin, H, W].</param>
    /// <returns>[B, Cout, H / stride, W / stride].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = x;
        if (_expand_conv is not null)
            h = functional.relu6(_bn0!.call(_expand_conv.call(h)), inplace: true);
        h = functional.relu6(_bn1.call(_depthwise_conv.call(h)), inplace: true);
        h = _bn2.call(_project_conv.call(h));
        return (_isResidual ? h + x : h).MoveToOuterDisposeScope();
    }
}
