using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>DEIS: the predicted noise as a polynomial in ln ρ, ρ = σ / α, through the latest predictions, integrated exactly over a step.</summary>
/// <remarks>Zhang and Chen 2022, arXiv:2204.13902, "log-ρ". One network call per step.</remarks>
public sealed class DeisMultistepScheduler : UnitScheduler
{
    private const int ShortRun = 15;

    private readonly TensorHistory _predictions;

    public DeisMultistepScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        if (config.AlgorithmType != "deis")
            throw config.Unsupported("algorithm_type", config.AlgorithmType, "deis");
        if (config.SolverType != "logrho")
            throw config.Unsupported("solver_type", config.SolverType, "logrho");
        if (config.SolverOrder is < 1 or > 3)
            throw config.Unsupported("solver_order", config.SolverOrder, "1, 2 or 3");
        _predictions = new TensorHistory(config.SolverOrder);
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        _predictions.Add(NoiseOf(prediction, step, sample));
        var (from, to) = (LevelAt(step), LevelAt(step + 1));
        var order = Math.Min(OrderAt(step), _predictions.Count);
        var result = sample / from.Alpha;
        if (order == 1)
            result += _predictions[0] * (Sigmas[step + 1] - Sigmas[step]);
        var places = Enumerable.Range(0, order).Select(age => Math.Log(Sigmas[step - age])).ToArray();
        for (var age = 0; order > 1 && age < order; age++)
            result += _predictions[age] * (Integral(Sigmas[step + 1], places, age) - Integral(Sigmas[step], places, age));
        return (result * to.Alpha).MoveToOuterDisposeScope();
    }

    protected override double FinalSigma(double smallest) => Config.SigmaSpacing != SigmaSpacing.Discrete || Config.UseFlowSigmas ? smallest : Noise.Sigmas[0];

    protected override void Dispose(bool disposing)
    {
        _predictions.Dispose();
        base.Dispose(disposing);
    }

    private int OrderAt(int step)
    {
        var left = Timesteps.Count - step;
        return Config.LowerOrderFinal && Timesteps.Count < ShortRun ? Math.Min(left, Config.SolverOrder) : Config.SolverOrder;
    }

    /// <summary>∫ of the Lagrange polynomial in ln ρ that is 1 at one place and 0 at the others, up to ρ.</summary>
    private static double Integral(double rho, double[] places, int chosen)
    {
        var (log, others) = (Math.Log(rho), places.Where((_, i) => i != chosen).ToArray());
        var scale = others.Aggregate(1.0, (product, other) => product * (places[chosen] - other));
        // ∫ (l - c) dρ = ρ (l - 1 - c); ∫ (l - c)(l - d) dρ = ρ (l² - 2l + 2 - (c + d)(l - 1) + c d), l = ln ρ
        var whole = others.Length == 1 ? log - 1 - others[0] : log * log - 2 * log + 2 - (others[0] + others[1]) * (log - 1) + others[0] * others[1];
        return rho * whole / scale;
    }
}
