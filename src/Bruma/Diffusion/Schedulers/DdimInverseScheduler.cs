using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>DDIM run backwards: from a clean sample to the noise that DDIM turns into it.</summary>
/// <remarks>The limit of small steps of the equation of <see cref="DdimScheduler"/>; timesteps rise.</remarks>
public sealed class DdimInverseScheduler : AlphaScheduler
{
    public DdimInverseScheduler(SchedulerConfig config, int steps) : base(config, steps, [.. TimestepGrid.Whole(config, steps).Reverse()])
    {
        if (config.TimestepSpacing == TimestepSpacing.Linspace)
            throw config.Unsupported("timestep_spacing", "linspace", "leading or trailing");
    }

    /// <summary>The sample comes from the step before, one stride below the timestep that the network is told.</summary>
    public override NoiseLevel LevelAt(int step) => LevelOf(Math.Min(Timesteps[step] - Stride, Config.NumTrainTimesteps - 1));

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var next = LevelOf(Timesteps[step]);

        var denoised = Denoised(prediction, step, sample);
        var direction = Predictions.Noise(Prediction, prediction, sample, LevelAt(step));
        return (denoised * next.Alpha + direction * next.Sigma).MoveToOuterDisposeScope();
    }
}
