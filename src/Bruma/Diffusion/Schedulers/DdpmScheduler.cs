using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Ancestral sampling of the reverse process, on all or some of the training steps.</summary>
/// <remarks>Ho et al. 2020, arXiv:2006.11239, equations 6 and 7. Draws noise at every step but the one at t = 0.</remarks>
public sealed class DdpmScheduler : AlphaScheduler
{
    public DdpmScheduler(SchedulerConfig config, int steps) : base(config, steps, TimestepGrid.Whole(config, steps))
    {
        if (config.VarianceType is not ("fixed_small" or "fixed_small_log" or "fixed_large"))
            throw config.Unsupported("variance_type", config.VarianceType, "fixed_small, fixed_small_log or fixed_large");
    }

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

        var variance = Config.VarianceType == "fixed_large" ? beta : Math.Max((1 - alphaPrevious) / (1 - alpha) * beta, 1e-20);
        return (mean + noise(sample.shape) * Math.Sqrt(variance)).MoveToOuterDisposeScope();
    }

    private double Previous(int step) => step + 1 < Timesteps.Count ? AlphaCumprod(Timesteps[step + 1]) : 1;
}
