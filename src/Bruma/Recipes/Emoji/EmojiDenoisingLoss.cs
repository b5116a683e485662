using Bruma.Nn;
using Bruma.Recipes.Adaptation;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>The loss of fixed pictures at fixed noise levels with fixed noise: the cheapest honest curve of progress.</summary>
/// <param name="latents">fp32 [N, C, 16, 16].</param>
/// <param name="ids">Captions, int64 [N, 32].</param>
internal sealed class EmojiDenoisingLoss(Tensor latents, Tensor ids) : IDisposable
{
    private const int Levels = 8;
    private const int Batch = 64;
    private const long Noising = 41;

    public int Count => (int)latents.shape[0];

    /// <param name="shift">0 for the pictures' own captions; else the caption of the picture so many places further.</param>
    public double Of(EmojiGenerator network, LatentStep step, int shift = 0)
    {
        var total = 0.0;
        for (var level = 0; level < Levels; level++)
        {
            using var scope = NewDisposeScope();
            using var random = HashedSeed.At(0, Noising, level);
            var noise = randn(latents.shape, generator: random);
            var captions = ids.roll(-shift, 0);
            for (var first = 0; first < Count; first += Batch)
            {
                using var own = NewDisposeScope();
                var rows = Math.Min(Batch, Count - first);
                Tensor Part(Tensor all) => all.narrow(0, first, rows);
                var times = full(rows, (2 * level + 1) * step.Objective.Noise!.Count / (2 * Levels), int64);
                total += step.Losses(new LatentExamples(Part(latents), Part(noise), times, network.Read(Part(captions)))).sum().item<float>();
            }
        }
        return total / (Levels * Count);
    }

    public void Dispose()
    {
        latents.Dispose();
        ids.Dispose();
    }
}
