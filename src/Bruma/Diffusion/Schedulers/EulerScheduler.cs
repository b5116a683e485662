using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Deterministic Euler steps on the probability-flow ODE.</summary>
/// <remarks>Karras et al. 2022, arXiv:2206.00364, algorithm 2 without churn. First order: halving the step halves the error.</remarks>
public sealed class EulerScheduler(SchedulerConfig config, int steps) : SigmaScheduler(config, steps)
{
    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        return (sample + Derivative(prediction, step, sample) * (Sigmas[step + 1] - Sigmas[step])).MoveToOuterDisposeScope();
    }
}
