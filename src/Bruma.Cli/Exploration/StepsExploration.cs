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
        var (pictures, steps) = (new List<List<Moment>>(), new List<Moment>());
        foreach (var _ in context.Pipeline.Generate(context.Prompt, context.Request with { HighResolution = null }, step => steps.Add(Seen(step)), cancellationToken: context.Cancellation))
        {
            pictures.Add(steps); // the callback has seen them
            steps = [];
        }
        var count = pictures[0].Count;
        var shown = Spread(moments, count);
        var cells = new List<LabelledPicture>();
        var rows = new List<string>();
        for (var i = 0; i < pictures.Count; i++)
        {
            LabelledPicture Cell(Func<Moment, Tensor> part, int step) => new(part(pictures[i][step]), FormattableString.Invariant($"step {step + 1}, t {pictures[i][step].Time:0}"));
            cells.AddRange([.. shown.Select(step => Cell(moment => moment.Noisy, step)), .. shown.Select(step => Cell(moment => moment.Clean, step))]);
            var seed = pictures.Count == 1 ? "" : $", seed {context.Request.Seed + i}";
            rows.AddRange([$"x_t{seed}", $"predicted x_0{seed}"]);
        }
        context.WriteSheet($"\"{context.Prompt}\", step by step ({context.Settings(context.Request)})", cells, shown.Length, rows);
        using var scope = NewDisposeScope();
        context.WriteAnimation([.. Enumerable.Range(0, count).Select(step => cat([.. pictures.Select(moment => cat([moment[step].Noisy, moment[step].Clean], 2))], 1))]);

        Moment Seen(GenerationStep step)
        {
            using var scope = NewDisposeScope();
            return new Moment(Decoded(step.Latents), Decoded(step.Denoised), step.Timestep);
        }

        Tensor Decoded(Tensor latents) => ImageTensor.ToBytes(context.Pipeline.Decode(latents, context.Arguments.Tiling))[0].clone().DetachFromDisposeScope();
    }

    /// <summary>Steps for a sheet, the first and the last among them, evenly spread.</summary>
    public static int[] Spread(int moments, int steps)
    {
        var shown = Math.Min(moments, steps);
        return [.. Enumerable.Range(0, shown).Select(i => (int)Math.Round(i * (steps - 1.0) / Math.Max(1, shown - 1)))];
    }

    /// <param name="Noisy">The latents after a step, decoded; uint8 [3, H, W].</param>
    /// <param name="Clean">What the network takes them for, decoded.</param>
    private sealed record Moment(Tensor Noisy, Tensor Clean, double Time);
}
