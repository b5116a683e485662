using Bruma.Hub;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>CLIP's image encoder, with the config keys and checkpoint keys of transformers.</summary>
/// <remarks>Radford et al. 2021, arXiv:2103.00020.</remarks>
public sealed class ClipVisionModel : Module<Tensor, TransformerOutput>
{
    private readonly ClipVisionTransformer vision_model;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public ClipVisionModel(ClipVisionConfig config, Device? device = null)
        : base(nameof(ClipVisionModel))
    {
        config.Check(new ConfigCheck(nameof(ClipVisionModel)));
        Config = config;
        vision_model = new ClipVisionTransformer(config, device);
        RegisterComponents();
    }

    public ClipVisionConfig Config { get; }

    /// <inheritdoc cref="ClipTextModel.Load(string, string?)"/>
    public static ClipVisionModel Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new ClipVisionModel(ClipVisionTransformer.ReadConfig(folder)), folder, variant, ClipWeights.Vision(projection: false));

    /// <param name="pixels">Pictures of the config's size, [B, 3, H, W], normalised with CLIP's mean and deviation.</param>
    /// <returns>The last hidden state without norm, first the vector of the whole picture; pooled is that vector after the norm, [B, D].</returns>
    public override TransformerOutput forward(Tensor pixels) => vision_model.call(pixels, false);
}

/// <summary>CLIP's image encoder with the projection into the space that texts and images share.</summary>
public sealed class ClipVisionModelWithProjection : Module<Tensor, TransformerOutput>
{
    private readonly ClipVisionTransformer vision_model;
    private readonly Linear visual_projection;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public ClipVisionModelWithProjection(ClipVisionConfig config, Device? device = null)
        : base(nameof(ClipVisionModelWithProjection))
    {
        config.Check(new ConfigCheck(nameof(ClipVisionModelWithProjection)));
        Config = config;
        vision_model = new ClipVisionTransformer(config, device);
        visual_projection = Linear(config.HiddenSize, config.ProjectionDim, hasBias: false, device: device);
        RegisterComponents();
    }

    public ClipVisionConfig Config { get; }

    /// <inheritdoc cref="ClipTextModel.Load(string, string?)"/>
    public static ClipVisionModelWithProjection Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new ClipVisionModelWithProjection(ClipVisionTransformer.ReadConfig(folder)), folder, variant, ClipWeights.Vision(projection: true));

    /// <inheritdoc cref="ClipVisionModel.forward"/>
    /// <returns>As without projection, but pooled is projected, [B, P], not normalised.</returns>
    public override TransformerOutput forward(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var output = vision_model.call(pixels, false);
        return (output with { Pooled = visual_projection.call(output.Pooled!) }).MoveToOuterDisposeScope();
    }
}
