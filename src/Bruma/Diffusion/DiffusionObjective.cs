using Bruma.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>What a network is trained for: its prediction, the noise, the weights.</summary>
/// <param name="Prediction">What the network predicts.</param>
/// <param name="Noise">The noise schedule; null for flow, which has none.</param>
/// <param name="MinSnrGamma">Min-SNR weighting; null weighs all times alike.</param>
/// <param name="ZeroTerminalSnr">The schedule ends in pure noise.</param>
/// <param name="NoiseOffset">Noise common to a channel, as a share (https://www.crosslabs.org/blog/diffusion-with-offset-noise).</param>
/// <param name="InputPerturbation">Extra noise in the input alone (Ning et al. 2023, arXiv:2301.11706).</param>
public sealed record DiffusionObjective(
    PredictionType Prediction,
    NoiseSchedule? Noise,
    double? MinSnrGamma = null,
    bool ZeroTerminalSnr = false,
    double NoiseOffset = 0,
    double InputPerturbation = 0)
{
    /// <summary>Flow times in [0, 1] are told to the network in these units, as checkpoints of this kind expect.</summary>
    public const double FlowTimeUnits = 1000;

    /// <summary>The mean loss of a batch at times spread evenly over the range, one in each of B strata.</summary>
    /// <param name="network">Computes in any type.</param>
    /// <param name="original">x0, [B, C, H, W].</param>
    /// <param name="random">Source of times and noise.</param>
    /// <returns>0-D, fp32.</returns>
    public Tensor Loss(DenoisingNetwork network, Tensor original, Generator random)
    {
        using var scope = NewDisposeScope();
        var count = original.shape[0];
        var uniform = (arange(count, float32) + rand(count, generator: random)) / count;
        var noise = randn(original.shape, generator: random);
        if (NoiseOffset > 0)
            noise += NoiseOffset * randn([count, original.shape[1], 1, 1], generator: random);
        var perturbed = InputPerturbation > 0 ? noise + InputPerturbation * randn(original.shape, generator: random) : noise;
        return (Noise is null ? FlowLoss(network, original, (noise, perturbed), uniform) : NoiseLoss(network, original, (noise, perturbed), uniform)).MoveToOuterDisposeScope();
    }

    private static Tensor FlowLoss(DenoisingNetwork network, Tensor original, (Tensor Target, Tensor Input) noise, Tensor times)
    {
        var output = network(DiffusionLosses.OnStraightPath(original, noise.Input, times), times * FlowTimeUnits).to(float32);
        return (output - (noise.Target - original)).square().mean();
    }

    private Tensor NoiseLoss(DenoisingNetwork network, Tensor original, (Tensor Target, Tensor Input) noise, Tensor uniform)
    {
        var timesteps = (uniform * Noise!.Count).floor().clamp_max(Noise.Count - 1).to(int64);
        var alphas = Noise.AlphasCumprodAt(timesteps).to(float32);
        var output = network(DiffusionLosses.Noisy(original, noise.Input, alphas), timesteps).to(float32);
        var losses = DiffusionLosses.PerPicture(output, DiffusionLosses.Target(Prediction, original, noise.Target, alphas));
        return MinSnrGamma is { } gamma ? (losses * DiffusionLosses.MinSnrWeight(Prediction, DiffusionLosses.SignalToNoise(alphas), gamma, ZeroTerminalSnr)).mean() : losses.mean();
    }
}
