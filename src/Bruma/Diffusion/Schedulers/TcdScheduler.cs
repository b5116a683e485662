using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Trajectory consistency distillation: jump below the next timestep, then add noise up to it.</summary>
/// <remarks>Zheng et al. 2024, arXiv:2402.19159, algorithm 4; η is its γ. Draws noise at every step but the last, unless η is 0.</remarks>
public sealed class TcdScheduler(SchedulerConfig config, int steps, double eta = 0.3) : AlphaScheduler(config, steps, TimestepGrid.OfConsistency(config, steps))
{
    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var last = step + 1 == Timesteps.Count;
        var next = last ? 0 : Timesteps[step + 1];
        var (alphaNext, alphaBelow) = (AlphaCumprod(next), AlphaCumprod(Math.Floor((1 - eta) * next)));

        var below = Level(alphaBelow);
        var result = Predictions.Denoised(Prediction, prediction, sample, LevelAt(step)) * below.Alpha
            + Predictions.Noise(Prediction, prediction, sample, LevelAt(step)) * below.Sigma;
        if (eta > 0 && !last)
            result = result * Math.Sqrt(alphaNext / alphaBelow) + noise(sample.shape) * Math.Sqrt(1 - alphaNext / alphaBelow);
        return result.MoveToOuterDisposeScope();
    }
}
