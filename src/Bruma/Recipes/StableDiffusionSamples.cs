using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Samples of a text-to-image model, many at a time, each from its own seed.</summary>
/// <param name="pipeline">Disposed with this.</param>
public sealed class StableDiffusionSamples(StableDiffusionPipeline pipeline, ImageRequest? request = null) : ISampleModel
{
    private readonly ImageRequest _request = request ?? new ImageRequest();

    public string Settings => FormattableString.Invariant($"{pipeline.Scheduler.ClassName}, {_request.Steps ?? pipeline.Standard.Steps} steps, guidance {_request.GuidanceScale ?? pipeline.Standard.GuidanceScale}");

    public bool TakesPrompts => true;

    public static ISampleModel Open(string folder) => new StableDiffusionSamples(StableDiffusionPipeline.Load(folder, new PipelineOptions(ComputePrecision.TypeOf(ComputePrecision.Default))));

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
