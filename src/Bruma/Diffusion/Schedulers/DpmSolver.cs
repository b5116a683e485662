using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>The exponential integrators of DPM-Solver: exact in the linear part of the ODE, a Taylor polynomial in λ = ln(α/σ) for the network's part.</summary>
/// <remarks>Lu et al. 2022, arXiv:2206.00927 (polynomial of the noise) and arXiv:2211.01095 (of x0, "++"), with the stochastic forms of both.</remarks>
internal sealed class DpmSolver
{
    private readonly bool _heun;

    /// <exception cref="BrumaException">An algorithm that Bruma does not implement.</exception>
    public DpmSolver(SchedulerConfig config)
    {
        OnDenoised = config.AlgorithmType is "dpmsolver++" or "sde-dpmsolver++";
        IsStochastic = config.AlgorithmType is "sde-dpmsolver" or "sde-dpmsolver++";
        _heun = config.SolverType == "heun";
        if (!OnDenoised && config.AlgorithmType is not ("dpmsolver" or "sde-dpmsolver"))
            throw config.Unsupported("algorithm_type", config.AlgorithmType, "dpmsolver++, sde-dpmsolver++, dpmsolver or sde-dpmsolver");
        if (config.SolverType is not ("midpoint" or "heun"))
            throw config.Unsupported("solver_type", config.SolverType, "midpoint or heun");
        if (config.SolverOrder is < 1 or > 3)
            throw config.Unsupported("solver_order", config.SolverOrder, "1, 2 or 3");
        if (config.AlgorithmType == "sde-dpmsolver" && config.SolverOrder == 3)
            throw config.Unsupported("solver_order", "3 with algorithm_type sde-dpmsolver", "1 or 2");
        if (!OnDenoised && config.FinalSigmasType == FinalSigmasType.Zero)
            throw config.Unsupported("final_sigmas_type", $"zero with algorithm_type {config.AlgorithmType}", "sigma_min");
    }

    /// <summary>The polynomial is of the predicted x0, otherwise of the predicted noise.</summary>
    public bool OnDenoised { get; }

    public bool IsStochastic { get; }

    /// <summary>One step between two noise levels.</summary>
    /// <param name="noise">Standard normal where <see cref="IsStochastic"/>, else null.</param>
    /// <param name="derivatives">The prediction, and its first and second divided difference, each in units of the step.</param>
    public Tensor Move((NoiseLevel From, NoiseLevel To) levels, Tensor sample, Tensor? noise, params Tensor[] derivatives)
    {
        using var scope = NewDisposeScope();
        var (from, to) = levels;
        var h = Lambda(to) - Lambda(from);
        var z = OnDenoised ? (IsStochastic ? -2 * h : -h) : h;
        var unit = OnDenoised ? -to.Alpha : IsStochastic ? -2 * to.Sigma : -to.Sigma;
        var grown = Math.Exp(z) - 1;

        var keep = OnDenoised ? to.Sigma / from.Sigma * (IsStochastic ? Math.Exp(-h) : 1) : to.Alpha / from.Alpha;
        var result = sample * keep + derivatives[0] * (unit * grown);
        if (derivatives.Length == 2 && !_heun)
            result += derivatives[1] * (unit * grown / 2);
        else if (derivatives.Length >= 2)
            result += derivatives[1] * (unit * (grown / z - 1));
        if (derivatives.Length == 3)
            result += derivatives[2] * (unit * ((grown - z) / (z * z) - (IsStochastic ? -0.5 : 0.5))); // the sign of the stochastic form is the reference's
        if (noise is not null)
            result += noise * (to.Sigma * Math.Sqrt(OnDenoised ? 1 - Math.Exp(-2 * h) : Math.Exp(2 * h) - 1));
        return result.MoveToOuterDisposeScope();
    }

    public static double Lambda(NoiseLevel level) => Math.Log(level.Alpha) - Math.Log(level.Sigma);
}
