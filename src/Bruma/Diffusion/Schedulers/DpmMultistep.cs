using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>The multistep form of DPM-Solver: differences of earlier predictions stand for derivatives.</summary>
/// <remarks>Lu et al. 2022, arXiv:2211.01095, algorithm 2. The first steps and, in short runs, the last ones are of lower order.</remarks>
/// <param name="levelAt">Signal and noise where each of <paramref name="count"/> steps begins, and where the last one ends.</param>
internal sealed class DpmMultistep(SchedulerConfig config, int count, Func<int, NoiseLevel> levelAt) : IDisposable
{
    private const int ShortRun = 15;

    private readonly TensorHistory _predictions = new(config.SolverOrder);

    public DpmSolver Solver { get; } = new(config);

    /// <param name="converted">x0 or the noise, as the solver wants.</param>
    public Tensor Step(Tensor converted, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        _predictions.Add(converted.alias());
        var drawn = Solver.IsStochastic ? noise(sample.shape) : null;
        return Solver.Move((levelAt(step), levelAt(step + 1)), sample, drawn, Derivatives(step)).MoveToOuterDisposeScope();
    }

    public void Dispose() => _predictions.Dispose();

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
        var left = count - step;
        var isShort = config.LowerOrderFinal && count < ShortRun;
        if (left == 1 && (config.EulerAtFinal || isShort || config.FinalSigmasType == FinalSigmasType.Zero))
            return 1;
        return left == 2 && isShort ? Math.Min(2, config.SolverOrder) : config.SolverOrder;
    }

    private double Lambda(int step) => DpmSolver.Lambda(levelAt(step));
}
