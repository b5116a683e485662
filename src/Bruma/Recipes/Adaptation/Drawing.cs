using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Pictures of prompts by the networks as they stand, in the middle of training or before.</summary>
internal sealed class Drawing(BaseModel model, int side)
{
    private const int Steps = 25;
    private const double GuidanceScale = 7.5;

    /// <returns>uint8 [3, S, S]; the same for the same seed and weights.</returns>
    public Tensor Draw(string prompt, long seed)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var random = new Generator((ulong)seed, CPU);
        using var scheduler = Scheduler.Create(model.Scheduler, Steps);
        Tensor Noise(long[] shape) => randn(shape, generator: random);

        var both = Joined(model.Condition([""], side), model.Condition([prompt], side));
        Tensor Guided(Tensor sample, Tensor times)
        {
            using var inner = NewDisposeScope();
            var output = model.Network.call(cat([sample, sample]), cat([times, times]), both).to(float32); // [2, 4, h, w]
            return ClassifierFreeGuidance.Combine(output[..1], output[1..], GuidanceScale).MoveToOuterDisposeScope();
        }

        var latents = DenoisingLoop.Run(Guided, scheduler, Noise([1, model.Autoencoder.Config.LatentChannels, side / model.Reduction, side / model.Reduction]), Noise);
        var codec = model.Autoencoder.Config;
        var picture = model.Autoencoder.Decode(latents / codec.ScalingFactor + (codec.ShiftFactor ?? 0)).to(float32).clamp(-1, 1);
        return ImageTensor.ToBytes(picture)[0].MoveToOuterDisposeScope();
    }

    private static UNetConditioning Joined(UNetConditioning first, UNetConditioning second) => new(
        cat([first.Context, second.Context]),
        TextEmbeds: first.TextEmbeds is null ? null : cat([first.TextEmbeds, second.TextEmbeds!]),
        TimeIds: first.TimeIds is null ? null : cat([first.TimeIds, second.TimeIds!]));
}
