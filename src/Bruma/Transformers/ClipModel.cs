using Bruma.Hub;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>What CLIP says of pictures and texts.</summary>
/// <param name="LogitsPerImage">Scaled similarities, [pictures, texts].</param>
/// <param name="ImageEmbeds">Unit vectors, [pictures, P].</param>
/// <param name="TextEmbeds">Unit vectors, [texts, P].</param>
public readonly record struct ClipOutput(Tensor LogitsPerImage, Tensor ImageEmbeds, Tensor TextEmbeds);

/// <summary>Both towers of CLIP, with the config keys and checkpoint keys of transformers' CLIPModel.</summary>
/// <remarks>Radford et al. 2021, arXiv:2103.00020.</remarks>
public sealed class ClipModel : Module<Tensor, Tensor, Tensor?, ClipOutput>
{
    private readonly ClipTextTransformer text_model;
    private readonly ClipVisionTransformer vision_model;
    private readonly Linear visual_projection;
    private readonly Linear text_projection;
    private readonly Parameter logit_scale;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public ClipModel(ClipConfig config, Device? device = null)
        : base(nameof(ClipModel))
    {
        config.Check(new ConfigCheck(nameof(ClipModel)));
        Config = config;
        text_model = new ClipTextTransformer(config.TextConfig, device);
        vision_model = new ClipVisionTransformer(config.VisionConfig, device);
        visual_projection = Linear(config.VisionConfig.HiddenSize, config.ProjectionDim, hasBias: false, device: device);
        text_projection = Linear(config.TextConfig.HiddenSize, config.ProjectionDim, hasBias: false, device: device);
        logit_scale = Parameter(full([], config.LogitScaleInitValue, float32, device));
        RegisterComponents();
    }

    public ClipConfig Config { get; }

    /// <inheritdoc cref="ClipTextModel.Load(string, string?)"/>
    public static ClipModel Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new ClipModel(ClipWeights.ReadConfig(folder)), folder, variant);

    /// <param name="pixels">[pictures, 3, H, W].</param>
    /// <returns>[pictures, P], not normalised.</returns>
    public Tensor ImageFeatures(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return visual_projection.call(vision_model.call(pixels, false).Pooled!).MoveToOuterDisposeScope();
    }

    /// <param name="inputIds">[texts, T].</param>
    /// <param name="attentionMask">1 for tokens, 0 for padding, [texts, T]; null to see all.</param>
    /// <returns>[texts, P], not normalised.</returns>
    public Tensor TextFeatures(Tensor inputIds, Tensor? attentionMask = null)
    {
        using var scope = NewDisposeScope();
        return text_projection.call(text_model.call(inputIds, new TextPass(attentionMask)).Pooled!).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="TextFeatures"/>
    /// <param name="pixels">[pictures, 3, H, W].</param>
    public override ClipOutput forward(Tensor inputIds, Tensor pixels, Tensor? attentionMask = null)
    {
        using var scope = NewDisposeScope();
        var (images, texts) = (Unit(ImageFeatures(pixels)), Unit(TextFeatures(inputIds, attentionMask)));
        var logits = matmul(images, texts.t()) * logit_scale.exp();
        return new ClipOutput(logits.MoveToOuterDisposeScope(), images.MoveToOuterDisposeScope(), texts.MoveToOuterDisposeScope());
    }

    private static Tensor Unit(Tensor x) => x / x.norm(-1, keepdim: true, p: 2f);
}
