using Bruma.Diffusion;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>One of the passes that guidance compares.</summary>
/// <param name="Prompt">[B, T, D].</param>
/// <param name="TimeIds">XL's sizes, [B, 6 or 5].</param>
/// <param name="Channels">Behind the noisy latents: mask and masked picture, or the picture to change, [B, C, h, w].</param>
/// <param name="IsControlled">Whether ControlNets see this pass.</param>
internal sealed record GuidedPass(PromptEmbedding Prompt, Tensor? TimeIds = null, Tensor? Channels = null, bool IsControlled = true);

/// <summary>How much of each.</summary>
/// <param name="Scale">Of the text.</param>
/// <param name="Rescale">See <see cref="ImageRequest.GuidanceRescale"/>.</param>
/// <param name="ImageScale">Of InstructPix2Pix's picture.</param>
internal readonly record struct Guidance(double Scale, double Rescale = 0, double ImageScale = 1);

/// <summary>The U-Net as a function of sample and time, with prompts, guidance and controls in it; for one run, since controls depend on the step.</summary>
/// <param name="passes">One without guidance; two with it (negative, positive); three for InstructPix2Pix (text, picture, neither).</param>
/// <param name="guidanceEmbedding">The guidance scale as distilled networks take it, [B, E]; null for others.</param>
/// <param name="firstStep">Index of the step that comes first.</param>
internal sealed class GuidedNetwork(UNet2DConditionModel network, IReadOnlyList<GuidedPass> passes, Guidance guidance, ControlResiduals? controls = null, Tensor? guidanceEmbedding = null, int firstStep = 0)
{
    private int _step = firstStep;

    /// <param name="sample">Scaled noisy latents, [B, 4, h, w].</param>
    /// <param name="timesteps">[B].</param>
    /// <returns>[B, 4, h, w], fp32.</returns>
    public Tensor Predict(Tensor sample, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var step = _step++;
        var together = passes.All(pass => pass.Prompt.Context.shape[1] == passes[0].Prompt.Context.shape[1]);
        var predictions = together
            ? Run(passes, sample, timesteps, step).chunk(passes.Count)
            : [.. passes.Select(pass => Run([pass], sample, timesteps, step))];
        return Combine(predictions).MoveToOuterDisposeScope();
    }

    private Tensor Combine(Tensor[] predictions) => predictions switch
    {
        [var only] => only.alias(),
        [var negative, var positive] => ClassifierFreeGuidance.Combine(negative, positive, guidance.Scale, guidance.Rescale),
        [var text, var image, var neither] => neither + (text - image) * guidance.Scale + (image - neither) * guidance.ImageScale,
        _ => throw new InvalidOperationException("guidance compares one to three passes"),
    };

    private Tensor Run(IReadOnlyList<GuidedPass> batch, Tensor sample, Tensor timesteps, int step)
    {
        var inputs = All(batch, pass => pass.Channels is { } channels ? cat([sample, channels], 1) : sample)!;
        var times = timesteps.repeat(batch.Count);
        var conditioning = new UNetConditioning(
            All(batch, pass => pass.Prompt.Context)!,
            guidanceEmbedding?.repeat(batch.Count, 1),
            null,
            All(batch, pass => pass.Prompt.Pooled),
            All(batch, pass => pass.TimeIds));
        return network.call(inputs, times, controls?.AddTo(conditioning, batch, (sample, timesteps), step) ?? conditioning).to(float32);
    }

    private static Tensor? All(IReadOnlyList<GuidedPass> batch, Func<GuidedPass, Tensor?> part) =>
        part(batch[0]) is null ? null : batch.Count == 1 ? part(batch[0]) : cat([.. batch.Select(pass => part(pass)!)]);

    /// <summary>The guidance scale for networks that were distilled with it (Luo et al. 2023, arXiv:2310.04378): sines, then cosines, of (scale - 1) 1000.</summary>
    /// <returns>[B, width].</returns>
    public static Tensor EmbedScale(double scale, int batch, int width)
    {
        using var scope = NewDisposeScope();
        var half = width / 2;
        var frequencies = (arange(half, dtype: float32) * (-Math.Log(10000) / (half - 1))).exp();
        var angles = frequencies * ((scale - 1) * 1000);
        var embedding = cat([angles.sin(), angles.cos(), zeros(width % 2)]);
        return embedding.unsqueeze(0).expand(batch, -1).contiguous().MoveToOuterDisposeScope();
    }
}
