using Bruma.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>What a network is trained for: its prediction, the noise, the weights.</summary>
/// <param name="Prediction">What the network predicts.</param>
/// <param name="Noise">The noise schedule; null for flow, which has none.</param>
/// <param name="MinSnrGamma">Min-SNR weighting; null weighs all times alike.</param>
/// <param name="ZeroTerminalSnr">The schedule ends in pure noise.</param>
/// <param name="NoiseOffset">Noise common to a channel, as a share (https://www.crosslabs.org/blog/diffusion-with-offset-noise).</param>
/// <param name="FlowSampling">How times of flow are drawn.</param>
/// <param name="InputPerturbation">Extra noise in the input alone (Ning et al. 2023, arXiv:2301.11706).</param>
public sealed record DiffusionObjective(
    PredictionType Prediction,
    NoiseSchedule? Noise,
    double? MinSnrGamma = null,
    bool ZeroTerminalSnr = false,
    double NoiseOffset = 0,
    double InputPerturbation = 0,
    FlowSampling FlowSampling = FlowSampling.Uniform)
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
        return PerPicture(network, original, random).mean().MoveToOuterDisposeScope();
    }

    /// <summary>The loss of each picture instead of their mean.</summary>
    /// <returns>[B], fp32.</returns>
    public Tensor PerPicture(DenoisingNetwork network, Tensor original, Generator random)
    {
        using var scope = NewDisposeScope();
        var times = Times(original.shape[0], random);
        var noise = randn(original.shape, generator: random);
        if (NoiseOffset > 0)
            noise = OffsetNoise(noise, randn([original.shape[0], original.shape[1], 1, 1], generator: random));
        var perturbation = InputPerturbation > 0 ? randn(original.shape, generator: random) : null;
        return PerPicture(network, original, noise, times, perturbation).MoveToOuterDisposeScope();
    }

    /// <summary>The mean loss of a batch at given times with given noise.</summary>
    /// <param name="noise">Standard normal or with an offset, [B, C, H, W].</param>
    /// <param name="times">Training timesteps, [B] int64; for flow times in [0, 1], [B].</param>
    /// <param name="perturbation">Standard normal, [B, C, H, W], for <see cref="InputPerturbation"/>; null for none.</param>
    /// <returns>0-D, fp32.</returns>
    public Tensor Loss(DenoisingNetwork network, Tensor original, Tensor noise, Tensor times, Tensor? perturbation = null)
    {
        using var scope = NewDisposeScope();
        return PerPicture(network, original, noise, times, perturbation).mean().MoveToOuterDisposeScope();
    }

    /// <summary>The loss of each picture instead of their mean.</summary>
    /// <returns>[B], fp32.</returns>
    public Tensor PerPicture(DenoisingNetwork network, Tensor original, Tensor noise, Tensor times, Tensor? perturbation = null)
    {
        using var scope = NewDisposeScope();
        var input = perturbation is null ? noise : noise + InputPerturbation * perturbation;
        return (Noise is null ? FlowLosses(network, original, (noise, input), times) : NoiseLosses(network, original, (noise, input), times)).MoveToOuterDisposeScope();
    }

    /// <summary>Noise with a part that is common to each channel.</summary>
    /// <param name="common">Standard normal, [B, C, 1, 1].</param>
    public Tensor OffsetNoise(Tensor noise, Tensor common)
    {
        using var scope = NewDisposeScope();
        return (noise + NoiseOffset * common).MoveToOuterDisposeScope();
    }

    private Tensor Times(long count, Generator random)
    {
        var uniform = (arange(count, float32) + rand(count, generator: random)) / count;
        if (Noise is not null)
            return (uniform * Noise.Count).floor().clamp_max(Noise.Count - 1).to(int64);
        return FlowSampling switch
        {
            FlowSampling.LogitNormal => FlowTimes.LogitNormal((2 * uniform - 1).clamp(-0.999999f, 0.999999f).erfinv() * Math.Sqrt(2)), // stratified normals
            FlowSampling.Mode => FlowTimes.Mode(uniform),
            _ => uniform,
        };
    }

    private static Tensor FlowLosses(DenoisingNetwork network, Tensor original, (Tensor Target, Tensor Input) noise, Tensor times)
    {
        var output = network(DiffusionLosses.OnStraightPath(original, noise.Input, times), times * FlowTimeUnits).to(float32);
        return (output - (noise.Target - original)).square().flatten(1).mean(new long[] { 1 });
    }

    private Tensor NoiseLosses(DenoisingNetwork network, Tensor original, (Tensor Target, Tensor Input) noise, Tensor timesteps)
    {
        var alphas = Noise!.AlphasCumprodAt(timesteps).to(float32);
        var output = network(DiffusionLosses.Noisy(original, noise.Input, alphas), timesteps).to(float32);
        var losses = DiffusionLosses.PerPicture(output, DiffusionLosses.Target(Prediction, original, noise.Target, alphas));
        return MinSnrGamma is { } gamma ? losses * DiffusionLosses.MinSnrWeight(Prediction, DiffusionLosses.SignalToNoise(alphas), gamma, ZeroTerminalSnr) : losses;
    }
}
