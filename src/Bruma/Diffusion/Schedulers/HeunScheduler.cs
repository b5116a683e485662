using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Heun's method on the probability-flow ODE: an Euler step, then the mean of both slopes.</summary>
/// <remarks>Karras et al. 2022, arXiv:2206.00364, algorithm 1. Second order with two network calls per step; the last step is Euler's.</remarks>
public sealed class HeunScheduler(SchedulerConfig config, int steps) : SigmaScheduler(config, steps, stages: 2)
{
    private readonly TwoStage _stages = new();

    public override int Order => 2;

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var derivative = Derivative(prediction, step, sample);
        var result = step % 2 == 0
            ? _stages.Begin(sample, derivative, Sigmas[step + 1] - Sigmas[step])
            : _stages.Heun(derivative, Sigmas[step] - Sigmas[step - 1]);
        return result.MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _stages.Dispose();
        base.Dispose(disposing);
    }
}
