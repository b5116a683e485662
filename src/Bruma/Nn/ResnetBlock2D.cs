using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using static TorchSharp.torch.nn.functional;

namespace Bruma.Nn;

/// <summary>What all residual blocks of a network share.</summary>
/// <param name="TimeWidth">Width of the time embedding; null for none.</param>
/// <param name="ScaleShift">The time scales and shifts the second norm instead of being added.</param>
/// <param name="OutputScale">The sum of both branches is divided by this.</param>
public sealed record ResnetSettings(int? TimeWidth, int Groups, double Eps, double Dropout, bool ScaleShift, double OutputScale = 1);

/// <summary>Pre-norm residual block with a time embedding: the workhorse of U-Nets and VAEs.</summary>
public sealed class ResnetBlock2D : Module<Tensor, Tensor?, Tensor>
{
    private readonly ResnetSettings _settings;
    private readonly GroupNorm norm1;
    private readonly Conv2d conv1;
    private readonly Linear? time_emb_proj;
    private readonly GroupNorm norm2;
    private readonly Dropout dropout;
    private readonly Conv2d conv2;
    private readonly Conv2d? conv_shortcut;

    public ResnetBlock2D(int inChannels, int outChannels, ResnetSettings settings) : base(nameof(ResnetBlock2D))
    {
        _settings = settings;
        norm1 = Norms.Group(settings.Groups, inChannels, settings.Eps);
        conv1 = Conv2d(inChannels, outChannels, 3, padding: 1);
        if (settings.TimeWidth is { } width)
            time_emb_proj = Linear(width, settings.ScaleShift ? 2 * outChannels : outChannels);
        norm2 = Norms.Group(settings.Groups, outChannels, settings.Eps);
        dropout = Dropout(settings.Dropout);
        conv2 = Conv2d(outChannels, outChannels, 3, padding: 1);
        if (inChannels != outChannels)
            conv_shortcut = Conv2d(inChannels, outChannels, 1);
        RegisterComponents();
    }

    /// <summary>The convolution that closes the branch, which starts at zero in a network trained from scratch.</summary>
    public Conv2d Output => conv2;

    /// <param name="x">Features, [B, Cin, H, W].</param>
    /// <param name="time">Time embedding, [B, T]; null exactly when the block was built without one.</param>
    /// <returns>Features, [B, Cout, H, W].</returns>
    public override Tensor forward(Tensor x, Tensor? time)
    {
        using var scope = NewDisposeScope();
        var h = conv1.call(silu(norm1.call(x)));
        var shift = time_emb_proj?.call(silu(time!)).unsqueeze(-1).unsqueeze(-1); // [B, Cout or 2 Cout, 1, 1]
        if (shift is not null && !_settings.ScaleShift)
            h += shift;
        h = norm2.call(h);
        if (shift is not null && _settings.ScaleShift)
        {
            var parts = shift.chunk(2, 1);
            h = h * (1 + parts[0]) + parts[1];
        }
        h = conv2.call(dropout.call(silu(h)));
        var sum = (conv_shortcut is null ? x : conv_shortcut.call(x)) + h;
        return (_settings.OutputScale == 1 ? sum : sum / _settings.OutputScale).MoveToOuterDisposeScope();
    }
}
