namespace Bruma.StableDiffusion;

public sealed partial class StableDiffusionPipeline
{
    /// <summary>Draws with this pipeline as far as <see cref="ImageRequest.DenoisingEnd"/> says and goes on with SDXL's refiner (arXiv:2307.01952, section 2.5).</summary>
    /// <param name="refiner">A pipeline over the same latents.</param>
    public IEnumerable<GeneratedImage> GenerateRefined(
        StableDiffusionPipeline refiner, string prompt, ImageRequest request, Action<GenerationStep>? onStep = null, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        RequestChecks.Check(request, this);
        var handOver = request.DenoisingEnd ?? throw new BrumaException("a refiner needs to know where the base model stops: give the request a DenoisingEnd, such as 0.8.");
        return Enumerable.Range(0, request.Count).Select(i =>
        {
            using var scope = TorchSharp.torch.NewDisposeScope();
            var asked = OfPicture(request, i);
            var observer = new StepObserver((i, request.Count), onStep, progress) { Steps = request.Steps ?? Standard.Steps };
            using var noise = new SeededNoise(asked.Seed, asked.Random, asked.Variation);
            var batch = new PromptBatch(prompt, asked);
            var latents = Sample(batch, asked with { HighResolution = null }, noise.Draw, observer.Observe, cancellationToken);
            var rest = asked with { DenoisingEnd = null, DenoisingStart = handOver, StartLatents = latents, Start = null, Controls = [], HighResolution = null, Prompt2 = null, NegativePrompt2 = null };
            var refined = refiner.Sample(batch with { Prompts2 = null, NegativePrompts2 = null }, rest, noise.Draw, observer.Observe, cancellationToken);
            return refiner.Finish(refined, prompt, asked, LatentRun.SizeOf(this, asked));
        });
    }
}
