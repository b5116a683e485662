using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Multistep sampling of a latent consistency model: predict the clean sample, noise it to the next level.</summary>
/// <remarks>Luo et al. 2023, arXiv:2310.04378, algorithm 3. Draws noise at every step but the last.</remarks>
public sealed class LcmScheduler(SchedulerConfig config, int steps) : AlphaScheduler(config, steps, TimestepGrid.OfConsistency(config, steps))
{
    private const double SigmaData = 0.5;

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var denoised = Denoised(prediction, step, sample);
        if (step + 1 < Timesteps.Count)
        {
            var next = LevelAt(step + 1);
            denoised = denoised * next.Alpha + noise(sample.shape) * next.Sigma;
        }
        return denoised.MoveToOuterDisposeScope();
    }

    /// <summary>The consistency function: the identity at t = 0.</summary>
    public override Tensor Denoised(Tensor prediction, int step, Tensor sample)
    {
        using var scope = NewDisposeScope();
        var time = Timesteps[step] * Config.TimestepScaling;
        var skip = SigmaData * SigmaData / (time * time + SigmaData * SigmaData);
        var output = time / Math.Sqrt(time * time + SigmaData * SigmaData);
        return (base.Denoised(prediction, step, sample) * output + sample * skip).MoveToOuterDisposeScope();
    }
}
