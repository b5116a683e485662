using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>How much noise a sample holds after each training step: x_t = √ᾱ_t x0 + √(1 - ᾱ_t) n.</summary>
/// <remarks>Built in float32 like the reference, since checkpoints were trained with exactly these roundings; double from there on.</remarks>
public sealed class NoiseSchedule
{
    /// <summary>In place of 0 where an algorithm divides by ᾱ: the smallest fp16 number.</summary>
    private const double TinyAlpha = 1.0 / (1 << 24);

    private readonly double[] _alphasCumprod;
    private readonly double[] _sigmas;
    private readonly double[] _logSigmas;

    /// <param name="config">Its betas; the class does not matter.</param>
    /// <param name="finite">Keeps the last σ of a zero-terminal-SNR schedule finite.</param>
    public NoiseSchedule(SchedulerConfig config, bool finite = false)
    {
        using var scope = NewDisposeScope();
        var betas = config.TrainedBetas is { Length: > 0 } trained ? tensor(trained, ScalarType.Float32) : Betas(config);
        if (config.RescaleBetasZeroSnr)
            betas = WithZeroTerminalSnr(betas);
        var alphas = (1 - betas).cumprod(0);
        if (config.RescaleBetasZeroSnr && finite)
            alphas[-1] = TinyAlpha;
        _alphasCumprod = [.. alphas.to(float64).data<double>()];
        _sigmas = [.. ((1 - alphas) / alphas).sqrt().to(float64).data<double>()]; // the library's square root is not MathF's in the last bit
        _logSigmas = [.. _sigmas.Select(sigma => (double)RationalLog.Of((float)sigma))];
    }

    /// <summary>Training steps.</summary>
    public int Count => _alphasCumprod.Length;

    /// <summary>ᾱ_t for t = 0 to <see cref="Count"/> - 1, falling.</summary>
    public IReadOnlyList<double> AlphasCumprod => _alphasCumprod;

    /// <summary>σ_t = √((1 - ᾱ_t) / ᾱ_t), rising: the noise level relative to the signal.</summary>
    public IReadOnlyList<double> Sigmas => _sigmas;

    /// <summary>ln σ_t, rising.</summary>
    internal IReadOnlyList<double> LogSigmas => _logSigmas;

    /// <summary>σ at a timestep, linear between whole ones.</summary>
    public double Sigma(double timestep)
    {
        var t = Math.Clamp(timestep, 0, Count - 1);
        var low = Math.Min((int)t, Math.Max(Count - 2, 0));
        return Count == 1 ? _sigmas[0] : _sigmas[low] + (t - low) * (_sigmas[low + 1] - _sigmas[low]);
    }

    /// <summary>The timestep at which the noise level is σ, linear in ln σ.</summary>
    public double TimestepOf(double sigma)
    {
        var log = Math.Log(Math.Max(sigma, 1e-10));
        var low = Math.Clamp(Array.FindLastIndex(_logSigmas, level => level <= log), 0, Count - 2); // zero terminal SNR kept finite ends below its neighbours: no binary search
        var weight = Math.Clamp((_logSigmas[low] - log) / (_logSigmas[low] - _logSigmas[low + 1]), 0, 1);
        return (1 - weight) * low + weight * (low + 1);
    }

    /// <summary>ᾱ at each timestep, [B] fp64.</summary>
    /// <param name="timesteps">Whole numbers, [B].</param>
    public Tensor AlphasCumprodAt(Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var chosen = timesteps.cpu().to(int64).data<long>().Select(t => _alphasCumprod[t]).ToArray();
        return tensor(chosen, ScalarType.Float64, timesteps.device).MoveToOuterDisposeScope();
    }

    /// <summary>How many timesteps, counted from the noisiest, have log(α/σ) below the limit.</summary>
    internal int Below(double lambda) => _logSigmas.Count(log => -log < lambda);

    private static Tensor Betas(SchedulerConfig c) => c.BetaSchedule switch
    {
        BetaSchedule.Linear => linspace(c.BetaStart, c.BetaEnd, c.NumTrainTimesteps, float32),
        BetaSchedule.ScaledLinear => linspace(Math.Sqrt(c.BetaStart), Math.Sqrt(c.BetaEnd), c.NumTrainTimesteps, float32).pow(2),
        BetaSchedule.Sigmoid => linspace(-6, 6, c.NumTrainTimesteps, float32).sigmoid() * (c.BetaEnd - c.BetaStart) + c.BetaStart,
        BetaSchedule.SquaredCosine => FromCumulative(c.NumTrainTimesteps, t => Math.Pow(Math.Cos((t + 0.008) / 1.008 * Math.PI / 2), 2)),
        BetaSchedule.Exponential => FromCumulative(c.NumTrainTimesteps, t => Math.Exp(-12 * t)),
        _ => throw c.Unsupported("beta_schedule", c.BetaSchedule, "a known schedule"),
    };

    private static Tensor FromCumulative(int count, Func<double, double> alphaBar) =>
        tensor(Enumerable.Range(0, count).Select(i => Math.Min(1 - alphaBar((i + 1.0) / count) / alphaBar((double)i / count), 0.999)).ToArray(), ScalarType.Float32);

    // Lin et al. 2023, arXiv:2305.08891, algorithm 1: √ᾱ is shifted to end in 0 and scaled to begin where it did
    private static Tensor WithZeroTerminalSnr(Tensor betas)
    {
        var root = (1 - betas).cumprod(0).sqrt();
        var (first, last) = (root[0], root[-1]);
        var cumulative = ((root - last) * (first / (first - last))).pow(2);
        return 1 - cat([cumulative[..1], cumulative[1..] / cumulative[..^1]]);
    }
}
