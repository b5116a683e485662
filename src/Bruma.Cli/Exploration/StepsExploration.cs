using Bruma.Imaging;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Cli.Exploration;

/// <summary>The iterative denoising: what the latents look like after each step, and what the network takes them for.</summary>
internal static class StepsExploration
{
    /// <param name="moments">Steps on the sheet.</param>
    public static void Run(ExplorationContext context, int moments)
    {
        var (noisy, clean, times) = (new List<Tensor>(), new List<Tensor>(), new List<double>());
        foreach (var _ in context.Pipeline.Generate(context.Prompt, context.Request with { Count = 1, HighResolution = null }, Keep, cancellationToken: context.Cancellation))
        {
            // the callback sees the steps
        }
        var shown = Math.Min(moments, noisy.Count);
        var indices = Enumerable.Range(0, shown).Select(i => (int)Math.Round(i * (noisy.Count - 1.0) / Math.Max(1, shown - 1))).ToArray();
        var cells = new[] { noisy, clean }.SelectMany(series => indices.Select(i => new LabelledPicture(series[i], FormattableString.Invariant($"step {i + 1}, t {times[i]:0}")))).ToList();
        context.WriteSheet($"\"{context.Prompt}\", step by step ({context.Settings(context.Request)})", cells, shown, ["x_t", "predicted x_0"]);
        using var scope = NewDisposeScope();
        context.WriteAnimation([.. noisy.Zip(clean, (left, right) => cat([left, right], 2))]);

        void Keep(GenerationStep step)
        {
            using var scope = NewDisposeScope();
            noisy.Add(Decoded(step.Latents));
            clean.Add(Decoded(step.Denoised));
            times.Add(step.Timestep);
        }

        Tensor Decoded(Tensor latents) => ImageTensor.ToBytes(context.Pipeline.Decode(latents, context.Arguments.Tiling))[0].clone().DetachFromDisposeScope();
    }
}
