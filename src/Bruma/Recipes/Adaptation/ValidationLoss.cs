using Bruma.Nn;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>The loss of pictures that are not trained on, always at the same noise and the same 8 noise levels: its course is the model's, not the draw's.</summary>
/// <param name="condition">What the network sees of a caption, and of the size of latents.</param>
/// <param name="networks">The one whose loss it is, and one that is trained to steer it.</param>
internal sealed class ValidationLoss((UNet2DConditionModel Network, ControlNetModel? Control) networks, LatentStep step, AdaptationData data, Func<string, Tensor, UNetConditioning> condition)
{
    private const int Levels = 8;
    private const int MostPictures = 64;
    private const long NoiseSeed = 0; // of no run

    private readonly LatentStep _step = new(networks.Network, step.Objective with { MinSnrGamma = null, NoiseOffset = 0 }, networks.Control);

    /// <summary>Mean over pictures and levels; null without pictures to watch.</summary>
    public double? Compute()
    {
        if (data.Validation.Count == 0)
            return null;
        using var still = no_grad();
        var count = _step.Objective.Noise!.Count;
        var times = tensor(Enumerable.Range(0, Levels).Select(level => (long)((level + 0.5) / Levels * count)).ToArray());
        var sum = 0.0;
        var watched = data.Validation.Take(MostPictures).ToList();
        foreach (var index in watched)
        {
            using var scope = NewDisposeScope();
            using var random = HashedSeed.At(NoiseSeed, index);
            var (latents, caption, picture) = data.Watched(index);
            var many = latents.expand(Levels, -1, -1, -1);
            var noise = randn(many.shape, generator: random);
            sum += _step.Losses(new LatentExamples(many, noise, times, Repeated(condition(caption, latents)), picture?.expand(Levels, -1, -1, -1))).mean().item<float>();
        }
        times.Dispose();
        return sum / watched.Count;
    }

    private static UNetConditioning Repeated(UNetConditioning one) => one with
    {
        Context = one.Context.expand(Levels, -1, -1),
        TextEmbeds = one.TextEmbeds?.expand(Levels, -1),
        TimeIds = one.TimeIds?.expand(Levels, -1),
    };
}
