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

/// <summary>A run over a part of a schedule.</summary>
/// <param name="Start">The sample at the noise level of <paramref name="First"/>, [B, C, H, W].</param>
/// <param name="Noise">Draws for schedulers that need some.</param>
/// <param name="First">Index of the first step.</param>
/// <param name="End">Index after the last step; null for the whole schedule.</param>
/// <param name="AfterStep">Changes the sample after the step of an index; null for nothing.</param>
/// <param name="OnStep">Sees every step; its index counts from <paramref name="First"/>.</param>
public sealed record DenoisingRun(Tensor Start, NoiseSource Noise, int First = 0, int? End = null, Func<int, Tensor, Tensor>? AfterStep = null, Action<DenoisingStep>? OnStep = null);

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
        using var scope = NewDisposeScope();
        return Run(network, scheduler, new DenoisingRun(start * scheduler.InitNoiseSigma, noise, OnStep: onStep), cancellationToken).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="Run(DenoisingNetwork, Scheduler, Tensor, NoiseSource, Action{DenoisingStep}?, CancellationToken)"/>
    /// <exception cref="BrumaException">The network gave a number that is none.</exception>
    public static Tensor Run(DenoisingNetwork network, Scheduler scheduler, DenoisingRun run, CancellationToken cancellationToken = default)
    {
        var (sample, end) = (run.Start.alias(), run.End ?? scheduler.Timesteps.Count);
        for (var step = run.First; step < end; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var timestep = scheduler.Timesteps[step];
            var prediction = network(scheduler.ScaleInput(sample, step), full([sample.shape[0]], timestep, float32));
            var next = scheduler.Step(prediction, step, sample, run.Noise);
            RequireNumbers(next, (step - run.First + 1, end - run.First), timestep);
            var denoised = run.OnStep is null ? next : scheduler.Denoised(prediction, step, sample);
            next = run.AfterStep?.Invoke(step, next) ?? next;
            run.OnStep?.Invoke(new DenoisingStep(step - run.First, timestep, next, denoised));
            sample.Dispose();
            sample = next.MoveToOuterDisposeScope();
        }
        return sample;
    }

    private static void RequireNumbers(Tensor sample, (int Step, int Steps) at, double timestep)
    {
        if (!sample.isfinite().all().item<bool>())
            throw new BrumaException(FormattableString.Invariant($"the network gave NaN or infinity at step {at.Step} of {at.Steps} (timestep {timestep:0.##}); try --precision fp32 or another scheduler, and look into the weights with bruma models inspect."));
    }
}
