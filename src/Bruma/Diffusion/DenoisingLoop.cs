using Bruma.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>A network as a function: the prediction, [B, C, H, W], for a sample, [B, C, H, W], at times, [B].</summary>
public delegate Tensor DenoisingNetwork(Tensor sample, Tensor timesteps);

/// <summary>One network call of a denoising run.</summary>
/// <param name="Index">Counts from 0.</param>
/// <param name="Timestep">What the network was told.</param>
/// <param name="Sample">x after the step, [B, C, H, W]; clone it to keep it.</param>
/// <param name="Denoised">The clean sample that the prediction amounts to, [B, C, H, W].</param>
public readonly record struct DenoisingStep(int Index, double Timestep, Tensor Sample, Tensor Denoised);

/// <summary>From noise to a sample.</summary>
public static class DenoisingLoop
{
    /// <param name="network">With guidance already in it.</param>
    /// <param name="scheduler">Serves this run only.</param>
    /// <param name="start">Standard normal, [B, C, H, W].</param>
    /// <param name="noise">Draws for schedulers that need some.</param>
    /// <param name="onStep">Sees every step.</param>
    /// <returns>[B, C, H, W].</returns>
    public static Tensor Run(DenoisingNetwork network, Scheduler scheduler, Tensor start, NoiseSource noise, Action<DenoisingStep>? onStep = null, CancellationToken cancellationToken = default)
    {
        var sample = start * scheduler.InitNoiseSigma;
        for (var step = 0; step < scheduler.Timesteps.Count; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var times = full([sample.shape[0]], scheduler.Timesteps[step], float32);
            var prediction = network(scheduler.ScaleInput(sample, step), times);
            var next = scheduler.Step(prediction, step, sample, noise);
            onStep?.Invoke(new DenoisingStep(step, scheduler.Timesteps[step], next, onStep is null ? next : scheduler.Denoised(prediction, step, sample)));
            sample.Dispose();
            sample = next.MoveToOuterDisposeScope();
        }
        return sample;
    }
}
