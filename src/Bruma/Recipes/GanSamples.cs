using Bruma.Gans;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Samples of a GAN: all its classes in turn, without truncation.</summary>
public sealed class GanSamples(GanPipeline pipeline) : ISampleModel
{
    public string Settings => pipeline.Generator.Config.Classes is var classes and > 0 ? $"{classes} classes in turn, no truncation" : "no truncation";

    public bool TakesPrompts => false;

    public static ISampleModel Open(string folder) => new GanSamples(GanPipeline.Load(folder));

    public Tensor Draw(int first, int count, long seed, IReadOnlyList<string>? prompts = null)
    {
        using var scope = NewDisposeScope();
        var classes = pipeline.Generator.Config.Classes;
        var labels = classes == 0 ? null : tensor(Enumerable.Range(first, count).Select(i => (long)(i % classes)).ToArray());
        return ImageTensor.ToBytes(pipeline.Decode(pipeline.Latents(new GanRequest(count, seed + first)), labels)).MoveToOuterDisposeScope();
    }

    public void Dispose() => pipeline.Dispose();
}
