using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>A DPM-Solver that takes its derivatives from the steps before: one network call per step.</summary>
internal sealed class DpmMultistep(SchedulerConfig config, DpmSolver solver) : IDisposable
{
    private const int ShortRun = 15;

    private readonly TensorHistory _values = new(config.SolverOrder);

    public void Dispose() => _values.Dispose();

    /// <summary>The order of a step: what the values so far allow; short runs, and steps to a clean sample, end with lower ones.</summary>
    /// <param name="known">Values so far, that of this step included.</param>
    public static int OrderAt(SchedulerConfig config, IReadOnlyList<double> sigmas, int step, int known)
    {
        var left = sigmas.Count - 1 - step; // steps, this one included
        var falling = config.LowerOrderFinal && sigmas.Count - 1 < ShortRun;
        var limit = left == 1 && (falling || config.EulerAtFinal || sigmas[^1] == 0) ? 1 : left == 2 && falling ? 2 : config.SolverOrder;
        return Math.Min(Math.Min(limit, config.SolverOrder), known);
    }

    /// <param name="scheduler">Whose noise levels are stepped through.</param>
    /// <param name="value">What the solver's polynomial is of, at this step.</param>
    /// <param name="step">Index of the step.</param>
    /// <param name="sample">x at this step.</param>
    /// <param name="noise">Drawn from at every step of a stochastic solver.</param>
    public Tensor Step(Scheduler scheduler, Tensor value, int step, Tensor sample, NoiseSource noise)
    {
        _values.Add(value);
        var order = OrderAt(config, scheduler.Sigmas, step, _values.Count);
        var fresh = solver.Stochastic ? noise(sample.shape) : null;
        var (from, to) = (scheduler.LevelAt(step), scheduler.LevelAt(step + 1));
        return order switch
        {
            1 => solver.Move(from, to, order, sample, fresh, value),
            2 => solver.Move(from, to, order, sample, fresh, value, First(0)),
            _ => solver.Move(from, to, order, sample, fresh, [value, .. Third()]),
        };

        double Lambda(int index) => DpmSolver.Lambda(scheduler.LevelAt(index));
        double Before(int age) => Lambda(step - age) - Lambda(step - age - 1);
        Tensor First(int age) => (_values[age] - _values[age + 1]) * ((Lambda(step + 1) - Lambda(step)) / Before(age));
        Tensor[] Third()
        {
            var (newer, older) = (First(0), First(1));
            var (h, both) = (Lambda(step + 1) - Lambda(step), Before(0) + Before(1));
            return [newer + (newer - older) * (Before(0) / both), (newer - older) * (h / both)];
        }
    }
}
