using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Denoising diffusion implicit models: deterministic at η = 0, as noisy as DDPM at η = 1.</summary>
/// <remarks>Song et al. 2021, arXiv:2010.02502, equation 12. Draws noise only with η above 0.</remarks>
public sealed class DdimScheduler(SchedulerConfig config, int steps, double eta = 0, bool useClippedModelOutput = false) : AlphaScheduler(config, steps, TimestepGrid.Whole(config, steps))
{
    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var timestep = Timesteps[step];
        var (alpha, alphaPrevious) = (AlphaCumprod(timestep), AlphaCumprod(timestep - Stride));
        var variance = (1 - alphaPrevious) / (1 - alpha) * (1 - alpha / alphaPrevious);
        var deviation = eta * Math.Sqrt(Math.Max(variance, 0));

        var denoised = Denoised(prediction, step, sample);
        var direction = useClippedModelOutput
            ? Predictions.Noise(PredictionType.Sample, denoised, sample, Level(alpha))
            : Predictions.Noise(Prediction, prediction, sample, Level(alpha));
        var result = denoised * Math.Sqrt(alphaPrevious) + direction * Math.Sqrt(Math.Max(1 - alphaPrevious - deviation * deviation, 0));
        if (eta > 0)
            result += noise(sample.shape) * deviation;
        return result.MoveToOuterDisposeScope();
    }
}
