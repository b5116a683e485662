using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Samples of a text-to-image model, many at a time, each from its own seed.</summary>
/// <param name="pipeline">Disposed with this.</param>
/// <param name="scheduler">What people call the request's scheduler; null for its class.</param>
public sealed class StableDiffusionSamples(StableDiffusionPipeline pipeline, ImageRequest? request = null, string? scheduler = null) : ISampleModel
{
    private readonly ImageRequest _request = request ?? new ImageRequest();

    public string Settings => FormattableString.Invariant($"{scheduler ?? (_request.Scheduler ?? pipeline.Scheduler).ClassName}, {_request.Steps ?? pipeline.Standard.Steps} steps, guidance {_request.GuidanceScale ?? pipeline.Standard.GuidanceScale}");

    public bool TakesPrompts => true;

    public static ISampleModel Open(string folder, DrawSettings settings)
    {
        var pipeline = StableDiffusionPipeline.Load(folder, new PipelineOptions(ComputePrecision.TypeOf(ComputePrecision.Default)));
        var config = settings.Scheduler is { } name ? SchedulerNames.Find(name, pipeline.Scheduler) : null;
        return new StableDiffusionSamples(pipeline, new ImageRequest { Steps = settings.Steps, GuidanceScale = settings.GuidanceScale, Scheduler = config }, settings.Scheduler);
    }

    public Tensor Draw(int first, int count, long seed, IReadOnlyList<string>? prompts = null)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var noises = Enumerable.Range(first, count).Select(i => new SeededNoise(seed + i, RandomSource.Cpu, null)).ToList();
        try
        {
            Tensor Noise(long[] shape) => cat([.. noises.Select(noise => noise.Draw([1, .. shape[1..]]))]);
            var latents = pipeline.Sample(new PromptBatch(prompts ?? [.. Enumerable.Repeat("", count)]), _request, Noise);
            return ImageTensor.ToBytes(pipeline.Decode(latents)).MoveToOuterDisposeScope();
        }
        finally
        {
            noises.ForEach(noise => noise.Dispose());
        }
    }

    public void Dispose() => pipeline.Dispose();
}
