using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Standard normal draws of the given shape, in the order in which an algorithm needs them.</summary>
public delegate Tensor NoiseSource(long[] shape);

/// <summary>x = <paramref name="Alpha"/> x0 + <paramref name="Sigma"/> n.</summary>
public readonly record struct NoiseLevel(double Alpha, double Sigma);

/// <summary>What a caller may choose beside the configuration.</summary>
/// <param name="Eta">Share of fresh noise per step, 0 to 1, for DDIM (default 0) and TCD (default 0.3).</param>
/// <param name="UseClippedModelOutput">DDIM takes the noise from the clipped x0 instead of from the prediction.</param>
public sealed record SchedulerOptions(double? Eta = null, bool UseClippedModelOutput = false);

/// <summary>An algorithm that turns noise into a sample by asking a network for a fixed number of predictions.</summary>
/// <remarks>The step count is fixed at birth. An instance may keep a history and serves one generation; dispose it afterwards.</remarks>
public abstract class Scheduler : IDisposable
{
    /// <exception cref="BrumaException">The step count does not fit the configuration.</exception>
    protected Scheduler(SchedulerConfig config, int steps)
    {
        if (steps < 1 || steps > config.NumTrainTimesteps)
            throw new BrumaException($"{config.ClassName}: the number of steps is {steps}; expected 1 to {config.NumTrainTimesteps}, the number of training steps.");
        Config = config;
    }

    public SchedulerConfig Config { get; }

    /// <summary>What the network is told, one for each call of it; more than the step count for second-order algorithms.</summary>
    public abstract IReadOnlyList<double> Timesteps { get; }

    /// <summary>The noise levels visited, with the final one; empty for algorithms that do not know them.</summary>
    public virtual IReadOnlyList<double> Sigmas => [];

    /// <summary>Standard deviation of the start noise.</summary>
    public virtual double InitNoiseSigma => 1;

    /// <summary>Network calls per step: image-to-image may start only at multiples of it.</summary>
    public virtual int Order => 1;

    /// <summary>What the network's output means.</summary>
    public virtual PredictionType Prediction => Config.PredictionType;

    /// <summary>Whether Bruma has the scheduler of this class name.</summary>
    public static bool Knows(string className) => SchedulerClasses.Knows(className);

    /// <summary>Scheduler of the configuration's class.</summary>
    /// <exception cref="BrumaException">A value that Bruma does not implement.</exception>
    public static Scheduler Create(SchedulerConfig config, int steps, SchedulerOptions? options = null) => SchedulerClasses.Create(config, steps, options ?? new());

    /// <summary>The sample as the network wants to see it.</summary>
    /// <param name="sample">x at <paramref name="step"/>, [B, C, H, W].</param>
    /// <param name="step">Index into <see cref="Timesteps"/>.</param>
    public virtual Tensor ScaleInput(Tensor sample, int step) => sample.alias();

    /// <summary>Moves the sample to the next noise level.</summary>
    /// <param name="prediction">The network's output for the scaled sample, [B, C, H, W].</param>
    /// <param name="step">Index into <see cref="Timesteps"/>; steps come in order.</param>
    /// <param name="sample">x at this step, [B, C, H, W].</param>
    /// <param name="noise">Fresh normal draws; deterministic algorithms draw none.</param>
    /// <returns>x at the next step, [B, C, H, W].</returns>
    public abstract Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise);

    /// <summary>The clean sample that the prediction amounts to, [B, C, H, W], clipped or thresholded as configured.</summary>
    public virtual Tensor Denoised(Tensor prediction, int step, Tensor sample)
    {
        using var scope = NewDisposeScope();
        return Clip(Predictions.Denoised(Prediction, prediction, sample, LevelAt(step))).MoveToOuterDisposeScope();
    }

    /// <summary>Noises clean samples to the level of a timestep each.</summary>
    /// <param name="original">x0, [B, C, H, W].</param>
    /// <param name="noise">Standard normal, [B, C, H, W].</param>
    /// <param name="timesteps">One per sample or one for all.</param>
    public Tensor AddNoise(Tensor original, Tensor noise, params IReadOnlyList<double> timesteps)
    {
        using var scope = NewDisposeScope();
        var (alpha, sigma) = Columns(original, timesteps.Select(LevelOf));
        return (alpha * original + sigma * noise).MoveToOuterDisposeScope();
    }

    /// <summary>Noises clean samples to where the step of this index begins.</summary>
    public Tensor AddNoiseAt(Tensor original, Tensor noise, int step)
    {
        using var scope = NewDisposeScope();
        var (alpha, sigma) = NoisedLevelAt(step);
        return (original * alpha + noise * sigma).MoveToOuterDisposeScope();
    }

    /// <summary>The target of v-prediction, √ᾱ n - √(1 - ᾱ) x0, [B, C, H, W].</summary>
    public Tensor Velocity(Tensor original, Tensor noise, params IReadOnlyList<double> timesteps)
    {
        using var scope = NewDisposeScope();
        var (alpha, sigma) = Columns(original, timesteps.Select(LevelOf).Select(level => level with
        {
            Alpha = level.Alpha / Predictions.Norm(level),
            Sigma = level.Sigma / Predictions.Norm(level),
        }));
        return (alpha * noise - sigma * original).MoveToOuterDisposeScope();
    }

    /// <summary>Signal and noise in the sample that enters a step.</summary>
    public abstract NoiseLevel LevelAt(int step);

    /// <summary>Signal and noise in what <see cref="AddNoiseAt"/> makes.</summary>
    protected virtual NoiseLevel NoisedLevelAt(int step) => LevelAt(step);

    /// <summary>Frees the history.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Signal and noise at a timestep.</summary>
    protected abstract NoiseLevel LevelOf(double timestep);

    /// <summary>Keeps a predicted x0 in range, as configured; the dynamic threshold is the quantile of each sample.</summary>
    protected Tensor Clip(Tensor denoised)
    {
        if (Config.Thresholding)
            return Threshold(denoised);
        return Config.ClipSample ? denoised.clamp(-Config.ClipSampleRange, Config.ClipSampleRange) : denoised;
    }

    private Tensor Threshold(Tensor denoised)
    {
        var limit = denoised.flatten(1).abs().to(float64).quantile(Config.DynamicThresholdingRatio, dim: 1).clamp(1, Config.SampleMaxValue).to(denoised.dtype);
        limit = limit.reshape([-1, .. Enumerable.Repeat(1L, (int)denoised.ndim - 1)]); // [B, 1, 1, 1]
        return minimum(maximum(denoised, -limit), limit) / limit;
    }

    private static (Tensor Alpha, Tensor Sigma) Columns(Tensor like, IEnumerable<NoiseLevel> levels)
    {
        var all = levels.ToArray();
        long[] shape = [-1, .. Enumerable.Repeat(1L, (int)like.ndim - 1)];
        Tensor Column(Func<NoiseLevel, double> value) => tensor(all.Select(value).ToArray(), like.dtype, like.device).reshape(shape); // [B, 1, 1, 1]
        return (Column(level => level.Alpha), Column(level => level.Sigma));
    }
}
