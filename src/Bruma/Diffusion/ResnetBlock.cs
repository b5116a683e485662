using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>Pre-norm residual block with a time embedding: the U-Net's and the autoencoder's workhorse. It may also halve or double the resolution.</summary>
/// <remarks>Ho et al. 2020, arXiv:2006.11239; scale and shift: Dhariwal and Nichol 2021, arXiv:2105.05233.</remarks>
public sealed class ResnetBlock : Module<Tensor, Tensor?, long[]?, Tensor>, ICheckpointed
{
    private readonly ActivatedGroupNorm norm1;
    private readonly Conv2d conv1;
    private readonly Linear? time_emb_proj;
    private readonly ActivatedGroupNorm norm2;
    private readonly SeededDropout dropout;
    private readonly Conv2d conv2;
    private readonly Conv2d? conv_shortcut;
    private readonly ResnetOptions _options;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly bool _halves;

    /// <param name="halves">Whether the block halves the resolution by averaging.</param>
    public ResnetBlock(long inChannels, long outChannels, ResnetOptions options, bool halves = false)
        : base(nameof(ResnetBlock))
    {
        _options = options;
        _activation = Activation.Named(options.Activation);
        _halves = halves;
        var device = options.Device;
        norm1 = new ActivatedGroupNorm(options.Groups, inChannels, options.Eps, options.Activation, device);
        conv1 = Conv2d(inChannels, outChannels, 3, padding: 1, device: device);
        if (options.TimeWidth is { } timeWidth)
            time_emb_proj = Linear(timeWidth, options.TimeShift == TimeShift.ScaleShift ? 2 * outChannels : outChannels, device: device);
        norm2 = new ActivatedGroupNorm(options.Groups, outChannels, options.Eps, options.Activation, device);
        dropout = new SeededDropout(options.Dropout);
        conv2 = Conv2d(outChannels, outChannels, 3, padding: 1, device: device);
        if (inChannels != outChannels)
            conv_shortcut = Conv2d(inChannels, outChannels, 1, device: device);
        RegisterComponents();
    }

    /// <summary>The last convolution, which training from scratch may begin at zero.</summary>
    public Conv2d Output => conv2;

    /// <summary>Whether intermediate results are computed again for the gradients instead of being kept.</summary>
    public bool IsCheckpointed { get; set; }

    /// <param name="x">Features, [B, Cin, H, W].</param>
    /// <param name="time">Time embedding, [B, T]; null exactly when the block was built without one.</param>
    /// <param name="size">The height and width to interpolate to before the convolutions; null to keep them.</param>
    /// <returns>Features, [B, Cout, H, W].</returns>
    public override Tensor forward(Tensor x, Tensor? time, long[]? size = null)
    {
        if (!IsCheckpointed)
            return Compute(x, x, time, size);
        return Checkpoint.Run(inputs => Compute(inputs[0]!, inputs[1]!, inputs[2], size), dropout.Generator, x, x, time);
    }

    /// <param name="x">What the shortcut carries.</param>
    /// <param name="h">The same features on their way through the convolutions.</param>
    private Tensor Compute(Tensor x, Tensor h, Tensor? time, long[]? size)
    {
        using var scope = NewDisposeScope();

        h = norm1.call(h, null);
        if (_halves || size is not null)
            (x, h) = (Resample(x, size), Resample(h, size));
        h = FastConvolution.Run(conv1, h);
        h = Condition(h, time);
        h = FastConvolution.Run(conv2, dropout.call(h));

        var skip = conv_shortcut is null ? x : FastConvolution.Run(conv_shortcut, x, padding: 0);
        var sum = PackedOperators.Take(h) ? h.add_(skip) : skip + h;
        return (_options.OutputScale == 1 ? sum : sum / _options.OutputScale).MoveToOuterDisposeScope();
    }

    private Tensor Resample(Tensor x, long[]? size) =>
        _halves ? functional.avg_pool2d(x, 2) : functional.interpolate(x, size);

    private Tensor Condition(Tensor h, Tensor? time)
    {
        if (time_emb_proj is null)
            return norm2.call(h, null);
        var projected = time_emb_proj.call(_activation(time!)); // [B, Cout or 2 Cout]
        if (_options.TimeShift == TimeShift.Default)
            return norm2.call(h, projected);
        var parts = projected.unsqueeze(-1).unsqueeze(-1).chunk(2, 1);
        return _activation(norm2.Norm(h) * (parts[0] + 1) + parts[1]);
    }
}
