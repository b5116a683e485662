using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Heun's method along the learned velocity: second order with two network calls per step; the last step is Euler's.</summary>
public sealed class FlowMatchHeunScheduler(SchedulerConfig config, int steps) : FlowMatchScheduler(config, steps, stages: 2)
{
    private readonly TwoStage _stages = new();

    public override int Order => 2;

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var result = step % 2 == 0
            ? _stages.Begin(sample, prediction, Sigmas[step + 1] - Sigmas[step])
            : _stages.Heun(prediction, Sigmas[step] - Sigmas[step - 1]);
        return result.MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _stages.Dispose();
        base.Dispose(disposing);
    }
}
