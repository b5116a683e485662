using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>DPM-Solver(++) with the differences of earlier predictions: "DPM++ 2M", "3M" and their SDE forms. One network call per step.</summary>
/// <remarks>Lu et al. 2022, arXiv:2211.01095, algorithm 2. The first steps and, in short runs, the last ones are of lower order.</remarks>
public sealed class DpmSolverMultistepScheduler : UnitScheduler
{
    private const int ShortRun = 15;

    private readonly DpmSolver _solver;
    private readonly TensorHistory _predictions;

    public DpmSolverMultistepScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        _solver = new DpmSolver(config);
        _predictions = new TensorHistory(config.SolverOrder);
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        _predictions.Add(_solver.OnDenoised ? Denoised(prediction, step, sample) : NoiseOf(prediction, step, sample));
        var drawn = _solver.IsStochastic ? noise(sample.shape) : null;
        return _solver.Move((LevelAt(step), LevelAt(step + 1)), sample, drawn, Derivatives(step)).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _predictions.Dispose();
        base.Dispose(disposing);
    }

    private Tensor[] Derivatives(int step)
    {
        var (newest, h) = (_predictions[0], Lambda(step + 1) - Lambda(step));
        var order = Math.Min(OrderAt(step), _predictions.Count);
        if (order == 1)
            return [newest];
        var first = (Lambda(step) - Lambda(step - 1)) / h;
        var slope = (newest - _predictions[1]) / first;
        if (order == 2)
            return [newest, slope];
        var second = (Lambda(step - 1) - Lambda(step - 2)) / h;
        var earlier = (_predictions[1] - _predictions[2]) / second;
        return [newest, slope + (slope - earlier) * (first / (first + second)), (slope - earlier) / (first + second)];
    }

    private int OrderAt(int step)
    {
        var left = Timesteps.Count - step;
        var isShort = Config.LowerOrderFinal && Timesteps.Count < ShortRun;
        if (left == 1 && (Config.EulerAtFinal || isShort || Config.FinalSigmasType == FinalSigmasType.Zero))
            return 1;
        return left == 2 && isShort ? Math.Min(2, Config.SolverOrder) : Config.SolverOrder;
    }
}
