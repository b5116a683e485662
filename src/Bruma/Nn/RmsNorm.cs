using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Divides by the root of the mean square, without mean and bias; computed in fp32 whatever the type.</summary>
/// <remarks>Zhang and Sennrich 2019, arXiv:1910.07467.</remarks>
public sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly double _eps;

    public RmsNorm(long width, double eps, Device? device = null)
        : base(nameof(RmsNorm))
    {
        weight = Parameter(ones(width, device: device));
        _eps = eps;
        RegisterComponents();
    }

    /// <summary>Weight 1.</summary>
    public void Reset() => weight.fill_(1);

    /// <param name="x">[..., D].</param>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var values = x.to(float32);
        var normed = values * (values.square().mean([-1L], keepdim: true) + _eps).rsqrt();
        return (weight * normed.to(x.dtype)).MoveToOuterDisposeScope();
    }
}
