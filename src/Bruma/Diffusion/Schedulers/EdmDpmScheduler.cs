using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>DPM-Solver++ as a multistep method for networks in EDM's preconditioning.</summary>
/// <remarks>Lu et al. 2022, arXiv:2211.01095. "sde-dpmsolver++" draws noise at every step, also at the last one.</remarks>
public sealed class EdmDpmScheduler : EdmScheduler
{
    private readonly DpmMultistep _multistep;

    public EdmDpmScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        var solver = new DpmSolver(config, "dpmsolver++", "sde-dpmsolver++");
        if (solver.Stochastic && config.SolverOrder == 3)
            throw config.Unsupported("solver_order", "3 with algorithm_type sde-dpmsolver++", "1 or 2");
        _multistep = new DpmMultistep(config, solver);
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        return _multistep.Step(this, Denoised(prediction, step, sample), step, sample, noise).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _multistep.Dispose();
        base.Dispose(disposing);
    }
}
