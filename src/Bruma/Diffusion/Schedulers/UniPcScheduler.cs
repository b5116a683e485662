using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Unified predictor-corrector: each network call first corrects the step that led to it, then predicts the next.</summary>
/// <remarks>Zhao et al. 2023, arXiv:2302.04867, algorithms 1 and 2, with B(h) = h ("bh1") or e^h - 1 ("bh2"). One network call per step.</remarks>
public sealed class UniPcScheduler : LambdaScheduler
{
    private readonly TensorHistory _values;
    private readonly TensorHistory _start = new(1); // the corrected sample where the latest step began
    private int _order; // of the latest step

    public UniPcScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        if (config.SolverType is not ("bh1" or "bh2"))
            throw config.Unsupported("solver_type", config.SolverType, "bh1 or bh2");
        if (config.SolverOrder < 1)
            throw config.Unsupported("solver_order", config.SolverOrder, "1, 2 or 3");
        if (config.SolverP is not null)
            throw config.Unsupported("solver_p", config.SolverP, "null");
        if (config.ShiftTerminal is not null && !config.UseFlowSigmas)
            throw config.Unsupported("shift_terminal", $"{config.ShiftTerminal} without use_flow_sigmas", "null");
        _values = new TensorHistory(config.SolverOrder);
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var value = Config.PredictX0 ? Denoised(prediction, step, sample) : Predictions.Noise(Prediction, prediction, sample, LevelAt(step));
        if (_start.Count > 0 && Config.DisableCorrector?.Contains(step - 1) != true)
            sample = Move(step - 1, _order, _start[0], value);

        _values.Add(value);
        _start.Add(sample);
        var limit = Sigmas[step + 1] == 0 ? 1 : Config.LowerOrderFinal ? Timesteps.Count - step : int.MaxValue;
        _order = Math.Min(Math.Min(Config.SolverOrder, limit), _values.Count);
        return Move(step, _order, sample, null).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _values.Dispose();
        _start.Dispose();
        base.Dispose(disposing);
    }

    // predicts the step, or corrects it by the value where it ended
    private Tensor Move(int step, int order, Tensor sample, Tensor? end)
    {
        var (from, to) = (LevelAt(step), LevelAt(step + 1));
        var h = DpmSolver.Lambda(to) - DpmSolver.Lambda(from);
        if (h == 0)
            return sample;
        var z = Config.PredictX0 ? -h : h;
        double[] nodes = [.. Enumerable.Range(1, order - 1).Select(age => (DpmSolver.Lambda(LevelAt(step - age)) - DpmSolver.Lambda(from)) / h)];
        var values = nodes.Select((_, i) => _values[i + 1]);
        if (end is not null)
            (nodes, values) = ([.. nodes, 1], values.Append(end));

        var result = Linear(from, to, z, sample);
        var factor = Config.PredictX0 ? to.Alpha : to.Sigma;
        foreach (var (value, node, weight) in values.Zip(nodes, Weights(nodes, z)))
            result -= (value - _values[0]) * (factor * weight / node);
        return result;
    }

    // exact for a constant value
    private Tensor Linear(NoiseLevel from, NoiseLevel to, double z, Tensor sample) => Config.PredictX0
        ? sample * (to.Sigma / from.Sigma) - _values[0] * (to.Alpha * ExponentialIntegrals.Phi(1, z))
        : sample * (to.Alpha / from.Alpha) - _values[0] * (to.Alpha * from.Sigma / from.Alpha - to.Sigma);

    // where one value decides, B(h) / 2 stands for the integral
    private double[] Weights(double[] nodes, double z)
    {
        if (nodes.Length == 1)
            return [(Config.SolverType == "bh1" ? z : ExponentialIntegrals.Phi(1, z)) / 2];
        var factorial = 1.0;
        var moments = new double[nodes.Length];
        for (var i = 0; i < nodes.Length; i++)
        {
            factorial *= i + 1;
            moments[i] = ExponentialIntegrals.Phi(i + 2, z) * factorial;
        }
        return LagrangePolynomials.Weights(nodes, moments);
    }
}
