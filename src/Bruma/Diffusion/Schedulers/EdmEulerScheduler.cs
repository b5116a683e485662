using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Deterministic Euler steps for networks in EDM's preconditioning.</summary>
/// <remarks>Karras et al. 2022, arXiv:2206.00364, algorithm 2 without churn.</remarks>
public sealed class EdmEulerScheduler(SchedulerConfig config, int steps) : EdmScheduler(config, steps)
{
    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var slope = (sample - Denoised(prediction, step, sample)) / Sigmas[step]; // dx/dσ
        return (sample + slope * (Sigmas[step + 1] - Sigmas[step])).MoveToOuterDisposeScope();
    }
}
