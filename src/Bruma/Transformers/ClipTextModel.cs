using Bruma.Hub;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>CLIP's text encoder, which tells Stable Diffusion what to draw, with the config keys and checkpoint keys of transformers.</summary>
/// <remarks>Radford et al. 2021, arXiv:2103.00020. Each token sees itself and those before it; padding is seen unless a mask is given.</remarks>
public sealed class ClipTextModel : Module<Tensor, Tensor?, TransformerOutput>
{
    private readonly ClipTextTransformer text_model;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public ClipTextModel(ClipTextConfig config, Device? device = null)
        : base(nameof(ClipTextModel))
    {
        config.Check(new ConfigCheck(nameof(ClipTextModel)));
        Config = config;
        text_model = new ClipTextTransformer(config, device);
        RegisterComponents();
    }

    public ClipTextConfig Config { get; }

    /// <summary>The table of token vectors, [vocabulary, D].</summary>
    public Embedding TokenEmbedding => text_model.TokenEmbedding;

    /// <summary>Loads a folder with <c>config.json</c> and the weights beside it, also of a whole CLIP; the weights become fp32.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static ClipTextModel Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new ClipTextModel(ClipTextTransformer.ReadConfig(folder)), folder, variant, ClipWeights.Text(projection: false));

    /// <inheritdoc cref="Load(string, string?)"/>
    /// <param name="dtype">The type of the weights, in which it computes.</param>
    public static ClipTextModel Load(string folder, string? variant, ScalarType dtype) =>
        TransformerFiles.Load(device => new ClipTextModel(ClipTextTransformer.ReadConfig(folder), device), folder, variant, dtype, ClipWeights.Text(projection: false));

    /// <param name="inputIds">[B, T], T at most the config's number of positions.</param>
    /// <param name="attentionMask">1 for tokens, 0 for padding, [B, T]; null, as in Stable Diffusion, to see all.</param>
    /// <returns>The last hidden state after the final norm; pooled at the end token.</returns>
    public override TransformerOutput forward(Tensor inputIds, Tensor? attentionMask = null) => text_model.call(inputIds, new TextPass(attentionMask));

    /// <summary>The final norm, for hidden states of earlier layers.</summary>
    /// <param name="hidden">[B, T, D].</param>
    public Tensor FinalNorm(Tensor hidden) => text_model.FinalNorm(hidden);
}

/// <summary>CLIP's text encoder with the projection into the space that texts and images share: the second encoder of Stable Diffusion XL.</summary>
public sealed class ClipTextModelWithProjection : Module<Tensor, Tensor?, TransformerOutput>
{
    private readonly ClipTextTransformer text_model;
    private readonly Linear text_projection;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public ClipTextModelWithProjection(ClipTextConfig config, Device? device = null)
        : base(nameof(ClipTextModelWithProjection))
    {
        config.Check(new ConfigCheck(nameof(ClipTextModelWithProjection)));
        Config = config;
        text_model = new ClipTextTransformer(config, device);
        text_projection = Linear(config.HiddenSize, config.ProjectionDim, hasBias: false, device: device);
        RegisterComponents();
    }

    public ClipTextConfig Config { get; }

    /// <summary>The table of token vectors, [vocabulary, D].</summary>
    public Embedding TokenEmbedding => text_model.TokenEmbedding;

    /// <inheritdoc cref="ClipTextModel.Load(string, string?)"/>
    public static ClipTextModelWithProjection Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new ClipTextModelWithProjection(ClipTextTransformer.ReadConfig(folder)), folder, variant, ClipWeights.Text(projection: true));

    /// <inheritdoc cref="Load(string, string?)"/>
    /// <param name="dtype">The type of the weights, in which it computes.</param>
    public static ClipTextModelWithProjection Load(string folder, string? variant, ScalarType dtype) =>
        TransformerFiles.Load(device => new ClipTextModelWithProjection(ClipTextTransformer.ReadConfig(folder), device), folder, variant, dtype, ClipWeights.Text(projection: true));

    /// <inheritdoc cref="ClipTextModel.forward"/>
    /// <returns>The last hidden state after the final norm; pooled at the end token and projected, [B, P], not normalised.</returns>
    public override TransformerOutput forward(Tensor inputIds, Tensor? attentionMask = null)
    {
        using var scope = NewDisposeScope();
        var output = text_model.call(inputIds, new TextPass(attentionMask));
        return (output with { Pooled = text_projection.call(output.Pooled!) }).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="ClipTextModel.FinalNorm"/>
    public Tensor FinalNorm(Tensor hidden) => text_model.FinalNorm(hidden);
}
