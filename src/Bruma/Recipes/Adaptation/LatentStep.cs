using Bruma.Diffusion;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>What a text-to-image network is shown in one pass of training.</summary>
/// <param name="Latents">Clean and scaled, [B, 4, h, w].</param>
/// <param name="Noise">Standard normal or with an offset, [B, 4, h, w].</param>
/// <param name="Times">Training timesteps, [B], int64.</param>
/// <param name="Conditioning">The text, and what else the network sees.</param>
/// <param name="Picture">What a control network sees, [B, 3, H, W] in [0, 1]; null without one.</param>
public readonly record struct LatentExamples(Tensor Latents, Tensor Noise, Tensor Times, UNetConditioning Conditioning, Tensor? Picture = null);

/// <summary>The training step of every text-to-image network: full or adapted, from scratch or not.</summary>
/// <remarks>The network's input asks for a gradient: with gradient checkpointing, frozen first layers would else hide the adapters behind them; and without it, so that
/// both compute with the same kernels, which libtorch chooses by this too. A frozen network that is steered needs none: its way down is computed without gradients.</remarks>
/// <param name="control">A network that is trained to steer the other; null for none.</param>
public sealed class LatentStep(UNet2DConditionModel network, DiffusionObjective objective, ControlNetModel? control = null)
{
    public DiffusionObjective Objective => objective;

    /// <returns>The loss of each picture, [B], fp32.</returns>
    public Tensor Losses(LatentExamples examples)
    {
        using var scope = NewDisposeScope();
        return objective.PerPicture(Network(examples.Conditioning, examples.Picture), examples.Latents, examples.Noise, examples.Times).MoveToOuterDisposeScope();
    }

    /// <summary>The same with times and noise from a generator.</summary>
    public Tensor Losses(Tensor latents, UNetConditioning conditioning, Generator random, Tensor? picture = null)
    {
        using var scope = NewDisposeScope();
        return objective.PerPicture(Network(conditioning, picture), latents, random).MoveToOuterDisposeScope();
    }

    private DenoisingNetwork Network(UNetConditioning conditioning, Tensor? picture) => control is not null && picture is not null
        ? (sample, times) => network.call(sample, times, control.Steer(conditioning, sample, times, new ControlSignal(picture)))
        : (sample, times) => network.call(is_grad_enabled() ? sample.detach().requires_grad_(true) : sample, times, conditioning);
}

/// <summary>DreamBooth's loss: the pictures of the subject, and pictures of its class so that the class is kept.</summary>
/// <remarks>Ruiz et al. 2022, arXiv:2208.12242.</remarks>
public static class PriorPreservation
{
    /// <param name="losses">Of each picture, [B]; the subject's come first.</param>
    /// <returns>The means of both parts, 0-D.</returns>
    public static (Tensor Instance, Tensor Prior) Split(Tensor losses, int instances) => (losses[..instances].mean(), losses[instances..].mean());

    public static Tensor Loss(Tensor losses, int instances, double weight)
    {
        using var scope = NewDisposeScope();
        var (instance, prior) = Split(losses, instances);
        return (instance + weight * prior).MoveToOuterDisposeScope();
    }
}
