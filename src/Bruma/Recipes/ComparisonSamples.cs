using Bruma.Diffusion;
using Bruma.Gans;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Samples of a finished run, classes in turn where it has them.</summary>
internal static class ComparisonSamples
{
    private const int BatchSize = 100;
    private const long SeedOffset = 1_000_000;

    /// <returns>uint8 [N, C, H, W].</returns>
    public static Tensor Of(string run, string name, int count, long seed)
    {
        using var scope = NewDisposeScope();
        var folder = Path.Combine(run, "model");
        if (name != GanComparisonOptions.Diffusion)
        {
            using var gan = GanPipeline.Load(folder);
            return ImageTensor.ToBytes(gan.Generate(new GanRequest(count, seed + SeedOffset))).MoveToOuterDisposeScope();
        }
        using var diffusion = DiffusionPipeline.Load(folder);
        var classes = diffusion.Defaults.Classes?.Count ?? 0;
        var perClass = (count + Math.Max(1, classes) - 1) / Math.Max(1, classes);
        var sets = Enumerable.Range(0, Math.Max(1, classes)).Select(label => Drawn(diffusion, perClass, seed + SeedOffset + (long)label * perClass, classes == 0 ? null : label)).ToList();
        return stack(sets, 1).flatten(0, 1).narrow(0, 0, count).MoveToOuterDisposeScope(); // picture i is of class i modulo the number of classes
    }

    private static Tensor Drawn(DiffusionPipeline pipeline, int count, long seed, long? label)
    {
        using var scope = NewDisposeScope();
        return cat([.. Enumerable.Range(0, (count + BatchSize - 1) / BatchSize).Select(batch =>
            ImageTensor.ToBytes(pipeline.Generate(new DiffusionRequest(Math.Min(BatchSize, count - batch * BatchSize), seed + batch * BatchSize, label))))]).MoveToOuterDisposeScope();
    }
}
