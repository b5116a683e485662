namespace Bruma.Diffusion.Schedulers;

/// <summary>Base of the algorithms that count in whole training steps and keep the sample at unit variance: x = √ᾱ x0 + √(1 - ᾱ) n.</summary>
public abstract class AlphaScheduler : Scheduler
{
    private readonly double[] _timesteps;

    protected AlphaScheduler(SchedulerConfig config, int steps, double[] timesteps) : base(config, steps)
    {
        if (config.PredictionType == PredictionType.Flow)
            throw config.Unsupported("prediction_type", "flow_prediction", "epsilon, sample or v_prediction, or a flow-matching scheduler");
        Noise = new NoiseSchedule(config);
        Steps = steps;
        _timesteps = timesteps;
    }

    public NoiseSchedule Noise { get; }

    public override IReadOnlyList<double> Timesteps => _timesteps;

    /// <summary>The steps that the caller asked for.</summary>
    protected int Steps { get; }

    /// <summary>Training steps between two denoising steps.</summary>
    protected int Stride => Config.NumTrainTimesteps / Steps;

    public override NoiseLevel LevelAt(int step) => LevelOf(Timesteps[step]);

    protected override NoiseLevel LevelOf(double timestep) => Level(AlphaCumprod(timestep));

    /// <summary>ᾱ_t; before the first training step the configured end value.</summary>
    protected double AlphaCumprod(double timestep) =>
        timestep >= 0 ? Noise.AlphasCumprod[(int)timestep] : Config.SetAlphaToOne ? 1 : Noise.AlphasCumprod[0];

    protected static NoiseLevel Level(double alphaCumprod) => new(Math.Sqrt(alphaCumprod), Math.Sqrt(1 - alphaCumprod));
}
