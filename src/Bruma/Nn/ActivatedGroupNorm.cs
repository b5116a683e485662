using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>A group norm and the activation after it, with an optional shift of every channel before: the pairs of which U-Nets and autoencoders consist.</summary>
/// <remarks>Wu and He 2018, arXiv:1803.08494. With SiLU it is one pass over memory. Checkpoint keys <c>weight</c> and <c>bias</c>.</remarks>
public sealed class ActivatedGroupNorm : Module<Tensor, Tensor?, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly int _groups;
    private readonly double _eps;
    private readonly bool _isSilu;
    private readonly Func<Tensor, Tensor> _activation;

    /// <param name="activation">A name that <see cref="Activation.Named"/> knows.</param>
    /// <exception cref="BrumaException">The channels do not divide into the groups.</exception>
    public ActivatedGroupNorm(long groups, long channels, double eps, string activation = "silu", Device? device = null)
        : base(nameof(ActivatedGroupNorm))
    {
        Norms.RequireDivisor(groups, channels);
        (_groups, _eps, _isSilu, _activation) = ((int)groups, eps, activation is "silu" or "swish", Activation.Named(activation));
        weight = Parameter(ones(channels, device: device));
        bias = Parameter(zeros(channels, device: device));
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W].</param>
    /// <param name="shift">[B, C], added to x before the norm; null for none.</param>
    /// <returns>[B, C, H, W].</returns>
    public override Tensor forward(Tensor x, Tensor? shift = null)
    {
        if (ChannelsLast.Is(x) && weight.dtype == x.dtype)
            return ChannelsLastNormed(x, shift);
        using var scope = NewDisposeScope();
        if (_isSilu && FusedGroupNormSilu.Takes(x) && !ChannelsLast.Lies(x)) // libtorch keeps the order of memory, the kernel does not
            return FusedGroupNormSilu.apply(x.contiguous(), shift?.contiguous()!, weight, bias, _groups, (float)_eps).MoveToOuterDisposeScope();
        var shifted = shift is null ? x : x + shift.unsqueeze(-1).unsqueeze(-1);
        return _activation(Norm(shifted)).MoveToOuterDisposeScope();
    }

    private Tensor ChannelsLastNormed(Tensor x, Tensor? shift)
    {
        using var scope = NewDisposeScope();
        var normed = ChannelsLastNorm.Run(x, shift, (weight, bias), (_groups, _eps), _isSilu);
        return (_isSilu ? normed : _activation(normed)).MoveToOuterDisposeScope();
    }

    /// <summary>The norm alone.</summary>
    public Tensor Norm(Tensor x) => functional.group_norm(x, _groups, weight, bias, _eps);

    /// <summary>1 and 0: the identity after the norm.</summary>
    internal void Reset()
    {
        weight.fill_(1);
        bias.zero_();
    }
}
