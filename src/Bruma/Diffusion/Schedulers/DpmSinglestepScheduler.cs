using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>DPM-Solver and DPM-Solver++ as singlestep methods ("DPM++ 2S", "3S"): steps come in groups, each of which starts anew from its first sample.</summary>
/// <remarks>Lu et al. 2022, arXiv:2211.01095, algorithm 1. "sde-dpmsolver++" ("DPM++ SDE") draws noise at every step, also at the last one.</remarks>
public sealed class DpmSinglestepScheduler : LambdaScheduler
{
    private readonly DpmSolver _solver;
    private readonly TensorHistory _values;
    private readonly TensorHistory _start = new(1);
    private readonly int[] _orders;

    public DpmSinglestepScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        _solver = new DpmSolver(config, "dpmsolver++", "sde-dpmsolver++", "dpmsolver");
        _values = new TensorHistory(config.SolverOrder);
        _orders = Orders(config, steps);
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        _values.Add(_solver.OnDenoised ? Denoised(prediction, step, sample) : NoiseIn(prediction, step, sample));
        var order = Math.Min(_orders[step], _values.Count);
        if (order == 1)
            _start.Add(sample);
        var fresh = _solver.Stochastic ? noise(sample.shape) : null;
        return _solver.Move(LevelAt(step + 1 - order), LevelAt(step + 1), order, _start[0], fresh, Differences(step, order)).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _values.Dispose();
        _start.Dispose();
        base.Dispose(disposing);
    }

    private Tensor[] Differences(int step, int order)
    {
        var first = step + 1 - order;
        double Distance(int to) => DpmSolver.Lambda(LevelAt(to)) - DpmSolver.Lambda(LevelAt(first));
        var h = Distance(step + 1);
        if (order == 1)
            return [_values[0]];
        var newest = (_values[0] - _values[order - 1]) * (h / Distance(step));
        if (order == 2 || Config.SolverType == "midpoint")
            return [_values[order - 1], newest];

        var middle = (_values[1] - _values[2]) * (h / Distance(step - 1));
        var (r0, r1) = (Distance(step) / h, Distance(step - 1) / h);
        return [_values[2], (middle * r0 - newest * r1) / (r0 - r1), (newest - middle) * (2 / (r0 - r1))];
    }

    // rising within each group; what is left over, and a step to a clean sample, takes lower orders
    private static int[] Orders(SchedulerConfig config, int steps)
    {
        var order = config.SolverOrder;
        var toClean = config.FinalSigmasType == FinalSigmasType.Zero;
        var orders = Enumerable.Range(0, steps).Select(i => i % order + 1).ToArray();
        if (!config.LowerOrderFinal && !toClean && steps % order == 0)
            return orders;
        orders[^1] = order == 3 && steps % 3 == 2 && !toClean ? 2 : 1;
        return orders;
    }
}
