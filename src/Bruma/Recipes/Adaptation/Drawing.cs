using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Pictures of prompts by the networks as they stand, in the middle of training or before, with the steps and the guidance that suit the model.</summary>
/// <param name="control">A network that steers the base; null for none.</param>
internal sealed class Drawing(BaseModel model, int side, ControlNetModel? control = null)
{
    private const int StandardSteps = 25; // where the model says nothing
    private const double StandardScale = 7.5;

    private readonly int _steps = model.Defaults.Steps ?? StandardSteps;
    private readonly double _scale = model.Defaults.GuidanceScale ?? StandardScale;

    /// <summary>Tells pictures of the same prompt and seed apart.</summary>
    public string Settings => FormattableString.Invariant($"{side} px, {_steps} steps, guidance {_scale}");

    /// <param name="picture">What the control network sees, [1, 3, S, S] in [0, 1]; null without one.</param>
    /// <returns>uint8 [3, S, S]; the same for the same seed and weights.</returns>
    public Tensor Draw(string prompt, long seed, Tensor? picture = null)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var random = new Generator((ulong)seed, CPU);
        using var scheduler = Scheduler.Create(model.Scheduler, _steps);
        Tensor Noise(long[] shape) => randn(shape, generator: random);

        var both = Joined(model.Condition([""], new(side, side)), model.Condition([prompt], new(side, side)));
        Tensor Guided(Tensor sample, Tensor times)
        {
            using var inner = NewDisposeScope();
            var (twice, at) = (cat([sample, sample]), cat([times, times]));
            var seen = control is null || picture is null ? both : control.Steer(both, twice, at, new ControlSignal(picture.expand(2, -1, -1, -1)));
            var output = model.Network.call(twice, at, seen).to(float32); // [2, 4, h, w]
            return ClassifierFreeGuidance.Combine(output[..1], output[1..], _scale).MoveToOuterDisposeScope();
        }

        var latents = DenoisingLoop.Run(Guided, scheduler, Noise([1, model.Autoencoder.Config.LatentChannels, side / model.Reduction, side / model.Reduction]), Noise);
        var codec = model.Autoencoder.Config;
        var drawn = model.Autoencoder.Decode(latents / codec.ScalingFactor + (codec.ShiftFactor ?? 0)).to(float32).clamp(-1, 1);
        return ImageTensor.ToBytes(drawn)[0].MoveToOuterDisposeScope();
    }

    private static UNetConditioning Joined(UNetConditioning first, UNetConditioning second) => new(
        cat([first.Context, second.Context]),
        TextEmbeds: first.TextEmbeds is null ? null : cat([first.TextEmbeds, second.TextEmbeds!]),
        TimeIds: first.TimeIds is null ? null : cat([first.TimeIds, second.TimeIds!]));
}
