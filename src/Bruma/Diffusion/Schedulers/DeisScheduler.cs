using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Diffusion exponential integrator sampler: the polynomial of the predicted noise in ln ρ, ρ = σ / α, is integrated over ρ.</summary>
/// <remarks>Zhang and Chen 2023, arXiv:2204.13902, "log ρ" Adams-Bashforth of order 1 to 3.</remarks>
public sealed class DeisScheduler : LambdaScheduler
{
    private readonly TensorHistory _noises;

    public DeisScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        if (config.AlgorithmType != "deis")
            throw config.Unsupported("algorithm_type", config.AlgorithmType, "deis");
        if (config.SolverType != "logrho")
            throw config.Unsupported("solver_type", config.SolverType, "logrho");
        if (config.SolverOrder is < 1 or > 3)
            throw config.Unsupported("solver_order", config.SolverOrder, "1, 2 or 3");
        _noises = new TensorHistory(config.SolverOrder);
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        _noises.Add(NoiseIn(prediction, step, sample));
        var weights = Weights(step, DpmMultistep.OrderAt(Config, Sigmas, step, _noises.Count));

        var result = sample / LevelAt(step).Alpha;
        for (var age = 0; age < weights.Length; age++)
            result += _noises[age] * weights[age];
        return (result * LevelAt(step + 1).Alpha).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _noises.Dispose();
        base.Dispose(disposing);
    }

    private double[] Weights(int step, int order)
    {
        double LogRho(int index) => -DpmSolver.Lambda(LevelAt(index));
        double[] nodes = [.. Enumerable.Range(0, order).Select(age => LogRho(step - age) - LogRho(step))];
        var end = LogRho(step + 1) - LogRho(step);

        // ∫ v^k ρ dv with ρ = ρ_step e^v, v from 0 to the end
        var rho = Math.Exp(LogRho(step));
        var moments = new double[order];
        for (var k = 0; k < order; k++)
            moments[k] = rho * Math.Pow(end, k) * Math.Exp(end) - (k == 0 ? rho : k * moments[k - 1]);
        return LagrangePolynomials.Weights(nodes, moments);
    }
}
