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
    /// <remarks>In float32 and in the reference's order: after a wide step the difference cancels, and other roundings would be other steps.</remarks>
    internal static (double Down, double Up) Ancestral(double sigma, double next)
    {
        var (from, to) = ((float)sigma, (float)next);
        var up = MathF.Sqrt(to * to * (from * from - to * to) / (from * from));
        return (MathF.Sqrt(MathF.Max(to * to - up * up, 0)), up); // rounded, up may be above the next level
    }
}
