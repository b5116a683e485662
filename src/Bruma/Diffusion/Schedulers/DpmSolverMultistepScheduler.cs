using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>DPM-Solver(++) in multistep form: "DPM++ 2M", "3M" and their SDE forms. One network call per step.</summary>
/// <remarks>Lu et al. 2022, arXiv:2206.00927 and arXiv:2211.01095.</remarks>
public sealed class DpmSolverMultistepScheduler : UnitScheduler
{
    private readonly DpmMultistep _multistep;

    public DpmSolverMultistepScheduler(SchedulerConfig config, int steps) : base(config, steps) => _multistep = new DpmMultistep(config, Timesteps.Count, LevelAt);

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var converted = _multistep.Solver.OnDenoised ? Denoised(prediction, step, sample) : NoiseOf(prediction, step, sample);
        return _multistep.Step(converted, step, sample, noise).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _multistep.Dispose();
        base.Dispose(disposing);
    }
}
