using Bruma.Diffusion;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>A step of a picture.</summary>
/// <param name="Picture">Counts from 0.</param>
/// <param name="Step">Counts from 1.</param>
/// <param name="Timestep">What the network was told.</param>
/// <param name="Latents">After the step, [1, 4, h, w]; clone them to keep them, change them in place to steer.</param>
/// <param name="Denoised">The clean latents that the prediction amounts to, [1, 4, h, w].</param>
public readonly record struct GenerationStep(int Picture, int Pictures, int Step, int Steps, double Timestep, Tensor Latents, Tensor Denoised);

/// <summary>How far a generation is; counts as <see cref="GenerationStep"/> does.</summary>
public readonly record struct GenerationProgress(int Picture, int Pictures, int Step, int Steps);

/// <summary>Tells the caller of the steps of one picture, over both passes.</summary>
internal sealed class StepObserver((int Index, int Count) picture, Action<GenerationStep>? onStep, IProgress<GenerationProgress>? progress)
{
    private int _step;

    public int Steps { get; set; }

    public void Observe(DenoisingStep step)
    {
        _step++;
        Steps = Math.Max(Steps, _step);
        progress?.Report(new GenerationProgress(picture.Index, picture.Count, _step, Steps));
        onStep?.Invoke(new GenerationStep(picture.Index, picture.Count, _step, Steps, step.Timestep, step.Sample, step.Denoised));
    }
}
