using Bruma.Imaging;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Cli.Exploration;

/// <summary>Ways through the latent space as frames: between seeds and prompts, and around one seed.</summary>
internal static class PathExplorations
{
    private const int MostOnSheet = 12;

    /// <summary>From one seed to another on the sphere, from one prompt to another in a line.</summary>
    public static void Interpolate(ExplorationContext context, int frames, long toSeed, string? toPrompt)
    {
        var request = context.Request;
        using var from = context.Pipeline.NoiseOf(request.Seed, request);
        using var to = context.Pipeline.NoiseOf(toSeed, request);
        var pictures = Frames(frames, i =>
        {
            var share = i / (double)Math.Max(1, frames - 1);
            using var noise = LatentPaths.Between(from, to, share);
            var batch = context.Batch with { Mix = toPrompt is null ? null : new PromptMix(toPrompt, share) };
            return (context.Pipeline.DrawFrom(noise, batch, request, cancellationToken: context.Cancellation), FormattableString.Invariant($"{share:0.00}"));
        });
        var other = toPrompt is null ? "" : $" to \"{toPrompt}\"";
        Write(context, pictures, $"\"{context.Prompt}\"{other}, seed {request.Seed}{(toSeed == request.Seed ? "" : $" to {toSeed}")} ({context.Settings(request)})", back: true);
    }

    /// <summary>A closed circle around the seed.</summary>
    public static void Walk(ExplorationContext context, int frames, double distance)
    {
        var request = context.Request;
        using var centre = context.Pipeline.NoiseOf(request.Seed, request);
        using var first = context.Pipeline.NoiseOf(request.Seed + 1_000_003, request);
        using var second = context.Pipeline.NoiseOf(request.Seed + 2_000_003, request);
        var pictures = Frames(frames, i =>
        {
            using var noise = LatentPaths.Around(centre, (first, second), distance, (double)i / frames);
            return (context.Pipeline.DrawFrom(noise, context.Batch, request, cancellationToken: context.Cancellation), FormattableString.Invariant($"{360.0 * i / frames:0}°"));
        });
        Write(context, pictures, FormattableString.Invariant($"\"{context.Prompt}\", a circle at distance {distance} around seed {request.Seed} ({context.Settings(request)})"), back: false);
    }

    private static List<LabelledPicture> Frames(int count, Func<int, (Tensor Picture, string Label)> draw) =>
        [.. Enumerable.Range(0, count).Select(draw).Select(frame => new LabelledPicture(frame.Picture, frame.Label))];

    /// <param name="back">Whether the animation returns the way it came; a circle closes by itself.</param>
    private static void Write(ExplorationContext context, List<LabelledPicture> pictures, string title, bool back)
    {
        var shown = pictures.Count <= MostOnSheet ? pictures : [.. Enumerable.Range(0, MostOnSheet).Select(i => pictures[(int)Math.Round(i * (pictures.Count - 1.0) / (MostOnSheet - 1))])];
        context.WriteSheet(title, shown, Math.Min(6, shown.Count));
        var frames = pictures.Select(picture => picture.Pixels);
        context.WriteAnimation([.. back ? frames.Concat(frames.Reverse().Skip(1)) : frames]);
    }
}
