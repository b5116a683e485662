using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>The preconditioned denoiser of EDM: D(x, σ) = c_skip x + c_out F(c_in x, c_noise). All levels are [B].</summary>
/// <remarks>Karras et al. 2022, arXiv:2206.00364, table 1 and section 5.</remarks>
/// <param name="DataDeviation">σ_data, the standard deviation of the data.</param>
public sealed record EdmDenoiser(double DataDeviation = 0.5)
{
    private double Variance => DataDeviation * DataDeviation;

    /// <summary>Training levels: ln σ is normal.</summary>
    public static Tensor Sigmas(Tensor normal, double mean = -1.2, double deviation = 1.2)
    {
        using var scope = NewDisposeScope();
        return (mean + deviation * normal).exp().MoveToOuterDisposeScope();
    }

    public Tensor Skip(Tensor sigma) => Of(sigma, s => Variance / (s.square() + Variance));

    public Tensor Out(Tensor sigma) => Of(sigma, s => s * DataDeviation / (s.square() + Variance).sqrt());

    public Tensor In(Tensor sigma) => Of(sigma, s => (s.square() + Variance).rsqrt());

    /// <summary>What the network is told of the level: ln σ / 4.</summary>
    public static Tensor Noise(Tensor sigma) => Of(sigma, s => s.log() / 4);

    /// <summary>The weight that makes the loss of an untrained network even over levels.</summary>
    public Tensor Weight(Tensor sigma) => Of(sigma, s => (s.square() + Variance) / (s * DataDeviation).square());

    /// <summary>The network's input for noisy pictures, [B, C, H, W].</summary>
    public Tensor Input(Tensor noisy, Tensor sigma)
    {
        using var scope = NewDisposeScope();
        return (DiffusionLosses.Column(In(sigma), noisy) * noisy).MoveToOuterDisposeScope();
    }

    /// <summary>Clean pictures from noisy ones and the network's output, [B, C, H, W].</summary>
    public Tensor Denoised(Tensor noisy, Tensor output, Tensor sigma)
    {
        using var scope = NewDisposeScope();
        return (DiffusionLosses.Column(Skip(sigma), noisy) * noisy + DiffusionLosses.Column(Out(sigma), noisy) * output).MoveToOuterDisposeScope();
    }

    /// <summary>Mean of weighted squared errors of the denoised pictures, 0-D.</summary>
    public Tensor Loss(Tensor denoised, Tensor original, Tensor sigma)
    {
        using var scope = NewDisposeScope();
        return (DiffusionLosses.Column(Weight(sigma), original) * (denoised - original).square()).mean().MoveToOuterDisposeScope();
    }

    private static Tensor Of(Tensor sigma, Func<Tensor, Tensor> formula)
    {
        using var scope = NewDisposeScope();
        return formula(sigma).MoveToOuterDisposeScope();
    }
}
