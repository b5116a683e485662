using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Encodes the logarithm of noise levels by sines and cosines of fixed random frequencies.</summary>
/// <remarks>Song et al. 2021, arXiv:2011.13456. The frequencies are stored with the weights and never trained.</remarks>
public sealed class FourierProjection : Module<Tensor, Tensor>
{
    private readonly Parameter weight;

    public FourierProjection(long frequencies, double scale, Device? device = null)
        : base(nameof(FourierProjection))
    {
        Scale = scale;
        weight = Parameter(zeros(frequencies, device: device), requires_grad: false);
        RegisterComponents();
    }

    /// <summary>The standard deviation of the frequencies.</summary>
    public double Scale { get; }

    /// <summary>Draws the frequencies.</summary>
    public void Initialize(Generator generator)
    {
        using var still = no_grad();
        using var scope = NewDisposeScope();
        weight.normal_(0, Scale, generator);
    }

    /// <param name="x">Noise levels above 0, [B].</param>
    /// <returns>fp32, [B, 2 * frequencies].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var angles = x.to(float32).log().unsqueeze(-1) * weight.to(float32) * (2 * Math.PI);
        return cat([angles.sin(), angles.cos()], -1).MoveToOuterDisposeScope();
    }
}
