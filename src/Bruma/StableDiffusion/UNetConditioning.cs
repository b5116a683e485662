using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>What a U-Net sees besides the noisy sample and its time.</summary>
/// <param name="Context">Hidden states of the text encoder, [B, T, D].</param>
/// <param name="TimestepCond">Embedded guidance scale of latent consistency models, [B, E]; null for other networks, and for no guidance.</param>
/// <param name="ClassLabels">Class indices or times, [B]; or embeddings, [B, E]; null exactly when the network has no classes.</param>
/// <param name="TextEmbeds">SDXL: the pooled text, [B, P].</param>
/// <param name="TimeIds">SDXL: original size, crop, target size (or a score instead of the latter), [B, 6 or 5].</param>
/// <param name="DownResiduals">A ControlNet's additions to the skip connections, in the order of computation; null for none.</param>
/// <param name="MidResidual">A ControlNet's addition to the middle block's output; null for none.</param>
public readonly record struct UNetConditioning(
    Tensor Context,
    Tensor? TimestepCond = null,
    Tensor? ClassLabels = null,
    Tensor? TextEmbeds = null,
    Tensor? TimeIds = null,
    IReadOnlyList<Tensor>? DownResiduals = null,
    Tensor? MidResidual = null);
