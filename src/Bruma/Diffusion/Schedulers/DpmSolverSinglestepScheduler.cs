using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>DPM-Solver(++) in singlestep form: "DPM++ 2S". Each block of two or three network calls starts anew from the sample at its beginning.</summary>
/// <remarks>Lu et al. 2022, arXiv:2206.00927, section 3, and arXiv:2211.01095, algorithm 1. A step here is one network call.</remarks>
public sealed class DpmSolverSinglestepScheduler : UnitScheduler
{
    private readonly DpmSolver _solver;
    private readonly TensorHistory _predictions;
    private readonly TensorHistory _blockStart = new(1);
    private readonly int[] _orders;

    public DpmSolverSinglestepScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        _solver = new DpmSolver(config);
        _predictions = new TensorHistory(config.SolverOrder);
        _orders = Orders(config, Timesteps.Count);
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        _predictions.Add(_solver.OnDenoised ? Denoised(prediction, step, sample) : NoiseOf(prediction, step, sample));
        var drawn = _solver.IsStochastic ? noise(sample.shape) : null;
        var order = Math.Min(_orders[step], _predictions.Count);
        if (order == 1)
            _blockStart.Add(sample.alias());
        return _solver.Move((LevelAt(step - order + 1), LevelAt(step + 1)), _blockStart[0], drawn, Derivatives(step, order)).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _predictions.Dispose();
        _blockStart.Dispose();
        base.Dispose(disposing);
    }

    private Tensor[] Derivatives(int step, int order)
    {
        var start = _predictions[order - 1];
        if (order == 1)
            return [start];
        var begin = Lambda(step - order + 1);
        var h = Lambda(step + 1) - begin;
        var last = (Lambda(step) - begin) / h;
        var toLast = (_predictions[0] - start) / last;
        if (order == 2)
            return [start, toLast];
        if (Config.SolverType == "midpoint")
            return [start, toLast, zeros_like(start)];
        var middle = (Lambda(step - 1) - begin) / h;
        var toMiddle = (_predictions[1] - start) / middle;
        return [start, (toMiddle * last - toLast * middle) / (last - middle), (toLast - toMiddle) * (2 / (last - middle))];
    }

    /// <summary>Orders count up within each block; the run ends with lower ones where it must.</summary>
    private static int[] Orders(SchedulerConfig config, int steps)
    {
        var block = config.SolverOrder;
        var orders = Enumerable.Range(0, steps).Select(i => i % block + 1).ToArray();
        var isLowered = config.LowerOrderFinal || steps % block != 0 || config.FinalSigmasType == FinalSigmasType.Zero;
        if (isLowered && block > 1 && steps % block == 0)
            orders[^1] = 1;
        if (config.FinalSigmasType == FinalSigmasType.Zero)
            orders[^1] = 1;
        return orders;
    }
}
