using Bruma.StableDiffusion;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Emoji;

/// <summary>The denoiser and its text encoder, trained together.</summary>
public sealed class EmojiGenerator : Module
{
    internal const string UnetPrefix = "unet.";
    internal const string TextPrefix = "text_encoder.";

    private readonly UNet2DConditionModel unet;
    private readonly ClipTextModel text_encoder;

    public EmojiGenerator(UNet2DConditionModel network, ClipTextModel text)
        : base(nameof(EmojiGenerator))
    {
        (unet, text_encoder) = (network, text);
        RegisterComponents();
    }

    public UNet2DConditionModel Denoiser => unet;

    public ClipTextModel Text => text_encoder;

    /// <param name="ids">Captions, [B, T].</param>
    /// <returns>What the denoiser sees of them, [B, T, D].</returns>
    public UNetConditioning Read(Tensor ids) => new(text_encoder.call(ids, null).LastHiddenState);
}
