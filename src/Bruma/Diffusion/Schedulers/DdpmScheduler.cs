using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Ancestral sampling of the reverse process, on all or some of the training steps.</summary>
/// <remarks>Ho et al. 2020, arXiv:2006.11239, equations 6 and 7. Draws noise at every step but the one at t = 0.</remarks>
public sealed class DdpmScheduler : AlphaScheduler
{
    public DdpmScheduler(SchedulerConfig config, int steps) : base(config, steps, TimestepGrid.Whole(config, steps))
    {
        if (config.VarianceType is not ("fixed_small" or "fixed_small_log" or "fixed_large" or "learned" or "learned_range"))
            throw config.Unsupported("variance_type", config.VarianceType, "fixed_small, fixed_small_log, fixed_large, learned or learned_range");
    }

    /// <inheritdoc/>
    /// <param name="prediction">[B, C, H, W]; of a network that learned variances [B, 2 C, H, W], the variances behind.</param>
    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var (alpha, alphaPrevious) = (AlphaCumprod(Timesteps[step]), Previous(step)); // ᾱ here and at the next denoising step
        var beta = 1 - alpha / alphaPrevious;

        var denoised = Denoised(prediction, step, sample);
        var mean = denoised * (Math.Sqrt(alphaPrevious) * beta / (1 - alpha))
            + sample * (Math.Sqrt(alpha / alphaPrevious) * (1 - alphaPrevious) / (1 - alpha));
        if (Timesteps[step] <= 0)
            return mean.MoveToOuterDisposeScope();

        var smallest = Math.Max((1 - alphaPrevious) / (1 - alpha) * beta, 1e-20);
        var drawn = noise(sample.shape);
        var fresh = Config.HasLearnedVariance
            ? drawn * Deviation(Halves(prediction, sample)[1], smallest, beta)
            : drawn * Math.Sqrt(Config.VarianceType == "fixed_large" ? beta : smallest);
        return (mean + fresh).MoveToOuterDisposeScope();
    }

    public override Tensor Denoised(Tensor prediction, int step, Tensor sample)
    {
        using var scope = NewDisposeScope();
        return base.Denoised(Config.HasLearnedVariance ? Halves(prediction, sample)[0] : prediction, step, sample).MoveToOuterDisposeScope();
    }

    // Nichol and Dhariwal 2021, arXiv:2102.09672, equation 15: -1 to 1 goes from one variance to the other, evenly in their logarithms
    private Tensor Deviation(Tensor learned, double smallest, double largest) =>
        Config.VarianceType == "learned" ? learned.sqrt() : (((learned + 1) * (Math.Log(largest) - Math.Log(smallest)) / 2 + Math.Log(smallest)) / 2).exp();

    /// <summary>What is predicted, and its variances.</summary>
    private static Tensor[] Halves(Tensor prediction, Tensor sample) => prediction.split(sample.shape[1], 1);

    private double Previous(int step) => step + 1 < Timesteps.Count ? AlphaCumprod(Timesteps[step + 1]) : 1;
}
