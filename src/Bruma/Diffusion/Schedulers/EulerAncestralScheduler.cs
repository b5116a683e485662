using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Euler steps to below the next noise level, then fresh noise up to it.</summary>
/// <remarks>k-diffusion's "Euler a". Draws noise at every step, also at the last one, where its factor is 0.</remarks>
public sealed class EulerAncestralScheduler(SchedulerConfig config, int steps) : SigmaScheduler(config, steps)
{
    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var (down, up) = Ancestral(Sigmas[step], Sigmas[step + 1]);
        var result = sample + Derivative(prediction, step, sample) * (down - Sigmas[step]);
        return (result + noise(sample.shape) * up).MoveToOuterDisposeScope();
    }

    /// <summary>Splits the way to the next noise level: down² + up² = next².</summary>
    internal static (double Down, double Up) Ancestral(double sigma, double next)
    {
        var up = next * Math.Sqrt(sigma * sigma - next * next) / sigma;
        return (Math.Sqrt(next * next - up * up), up);
    }
}
