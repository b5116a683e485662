using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>The exponential integrators of DPM-Solver: exact in the linear part, a Taylor polynomial in λ = ln(α / σ) for the network's part.</summary>
/// <remarks>Lu et al. 2022, arXiv:2206.00927 (of the noise) and arXiv:2211.01095 (of x0: "++"; with fresh noise: "sde").</remarks>
internal sealed class DpmSolver
{
    private readonly bool _midpoint;

    /// <exception cref="BrumaException">A solver that Bruma does not implement.</exception>
    public DpmSolver(SchedulerConfig config, params string[] algorithms)
    {
        if (!algorithms.Contains(config.AlgorithmType))
            throw config.Unsupported("algorithm_type", config.AlgorithmType, string.Join(" or ", algorithms));
        if (config.SolverType is not ("midpoint" or "heun"))
            throw config.Unsupported("solver_type", config.SolverType, "midpoint or heun");
        if (config.SolverOrder is < 1 or > 3)
            throw config.Unsupported("solver_order", config.SolverOrder, "1, 2 or 3");
        OnDenoised = config.AlgorithmType.EndsWith("++", StringComparison.Ordinal);
        Stochastic = config.AlgorithmType.StartsWith("sde", StringComparison.Ordinal);
        _midpoint = config.SolverType == "midpoint";
        if (!OnDenoised && config.FinalSigmasType == FinalSigmasType.Zero)
            throw config.Unsupported("final_sigmas_type", $"zero with algorithm_type {config.AlgorithmType}", "sigma_min");
    }

    /// <summary>The polynomial is that of the predicted x0, otherwise of the predicted noise.</summary>
    public bool OnDenoised { get; }

    /// <summary>Every step adds fresh noise.</summary>
    public bool Stochastic { get; }

    /// <summary>ln(α / σ): half the log signal-to-noise ratio, ∞ for a clean sample.</summary>
    public static double Lambda(NoiseLevel level) => Math.Log(level.Alpha) - Math.Log(level.Sigma);

    /// <summary>One step.</summary>
    /// <param name="from">Where it begins.</param>
    /// <param name="to">Where it ends.</param>
    /// <param name="order">1, 2 or 3.</param>
    /// <param name="sample">x where the step begins.</param>
    /// <param name="noise">Fresh if <see cref="Stochastic"/>, else null.</param>
    /// <param name="differences">The value where the step begins, then its first and second derivative in λ, times h and h².</param>
    public Tensor Move(NoiseLevel from, NoiseLevel to, int order, Tensor sample, Tensor? noise, params ReadOnlySpan<Tensor> differences)
    {
        var h = Lambda(to) - Lambda(from);
        var z = (OnDenoised ? -h : h) * (OnDenoised && Stochastic ? 2 : 1); // the exponent of the integrating factor
        var factor = OnDenoised ? -to.Alpha : -to.Sigma * (Stochastic ? 2 : 1);
        var scale = OnDenoised ? to.Sigma / from.Sigma * (Stochastic ? Math.Exp(-h) : 1) : to.Alpha / from.Alpha;

        var result = sample * scale;
        for (var i = 0; i < differences.Length; i++)
            result += differences[i] * (factor * Weight(i, z, order));
        return noise is null ? result : result + noise * Fresh(to, h);
    }

    // in the reference the third-order SDE weight is larger by 1 than the integral
    private double Weight(int difference, double z, int order) => difference switch
    {
        1 when order == 2 && _midpoint => ExponentialIntegrals.Phi(1, z) / 2,
        2 when Stochastic => ExponentialIntegrals.Phi(3, z) + 1,
        _ => ExponentialIntegrals.Phi(difference + 1, z),
    };

    private double Fresh(NoiseLevel to, double h) => to.Sigma * Math.Sqrt(Math.Max(OnDenoised ? 1 - Math.Exp(-2 * h) : Math.Exp(2 * h) - 1, 0));
}
