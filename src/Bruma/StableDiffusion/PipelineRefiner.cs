namespace Bruma.StableDiffusion;

public sealed partial class StableDiffusionPipeline
{
    /// <summary>Draws with this pipeline as far as <see cref="ImageRequest.DenoisingEnd"/> says and goes on with SDXL's refiner (arXiv:2307.01952, section 2.5).</summary>
    /// <param name="refiner">A pipeline over the same latents.</param>
    public IEnumerable<GeneratedImage> GenerateRefined(
        StableDiffusionPipeline refiner, string prompt, ImageRequest request, Action<GenerationStep>? onStep = null, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        RequestChecks.Check(request, this);
        if (request.DenoisingEnd is not (> 0 and < 1 and var handOver))
            throw new BrumaException("a refiner needs to know where the base model stops: give the request a DenoisingEnd between 0 and 1, such as 0.8.");
        if (request.HighResolution is not null)
            throw new BrumaException("a second, larger pass and a refiner do not go together; leave one out.");
        return Enumerable.Range(0, request.Count).Select(i =>
        {
            using var scope = TorchSharp.torch.NewDisposeScope();
            var asked = OfPicture(request, i);
            var observer = new StepObserver((i, request.Count), onStep, progress) { Steps = request.Steps ?? Standard.Steps };
            using var noise = new SeededNoise(asked.Seed, asked.Random, asked.Variation);
            var batch = new PromptBatch(prompt, asked);
            var latents = Sample(batch, asked, noise.Draw, observer.Observe, cancellationToken);
            var rest = asked with { DenoisingEnd = null, DenoisingStart = handOver, StartLatents = latents, Start = null, Controls = [], Prompt2 = null, NegativePrompt2 = null };
            var refined = refiner.Sample(batch with { Prompts2 = null, NegativePrompts2 = null }, rest, noise.Draw, observer.Observe, cancellationToken);
            return Finish(refined, prompt, asked, LatentRun.SizeOf(this, asked), refiner);
        });
    }
}
