using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>DPM-Solver and DPM-Solver++ as multistep methods ("DPM++ 2M", "3M"), with fresh noise as "DPM++ 2M SDE".</summary>
/// <remarks>Lu et al. 2022, arXiv:2211.01095, algorithm 2. The "sde" algorithms draw noise at every step, also at the last one.</remarks>
public sealed class DpmMultistepScheduler : LambdaScheduler
{
    private readonly DpmSolver _solver;
    private readonly DpmMultistep _multistep;

    public DpmMultistepScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        _solver = new DpmSolver(config, "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver");
        if (config.AlgorithmType == "sde-dpmsolver" && config.SolverOrder == 3)
            throw config.Unsupported("solver_order", "3 with algorithm_type sde-dpmsolver", "1 or 2");
        _multistep = new DpmMultistep(config, _solver);
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var value = _solver.OnDenoised ? Denoised(prediction, step, sample) : NoiseIn(prediction, step, sample);
        return _multistep.Step(this, value, step, sample, noise).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _multistep.Dispose();
        base.Dispose(disposing);
    }
}
