using Bruma.Imaging;
using Bruma.StableDiffusion;

namespace Bruma.Cli.Exploration;

/// <summary>Where the network looked for each word of the prompt, as heat over the picture.</summary>
internal static class AttentionExploration
{
    public static void Run(ExplorationContext context)
    {
        var request = context.Request with { Count = 1, HighResolution = null };
        using var noise = context.Pipeline.NoiseOf(request.Seed, request);
        using var maps = new CrossAttentionMaps(context.Pipeline.Network, (noise.shape[2], noise.shape[3]));
        var picture = context.Draw(request);
        var words = context.Pipeline.Prompts.Encoders[0].Prompts.Words(context.Prompt, request.Syntax);
        if (words.Count == 0)
            throw new UsageException("the prompt has no words to look at.");
        using var mean = maps.Mean(); // [S, h, w]
        var cells = new List<LabelledPicture> { new(picture, "the picture") };
        foreach (var (word, first, count) in words)
        {
            using var map = mean.narrow(0, first, count).sum(0, keepdim: false); // sum(0) alone would be a type
            cells.Add(new(HeatOverlay.Compose(picture, map), FormattableString.Invariant($"{word}\n{100 * map.mean().item<float>():0.0} %")));
        }
        context.WriteSheet($"\"{context.Prompt}\": attention to each word, all layers and steps ({context.Settings(request)})", cells, Math.Min(6, cells.Count));
    }
}
