using Bruma.Nn;
using Bruma.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Metrics;

/// <summary>Pictures and captions in one space, with heads that name concept and style: teaches the text encoder, and in a second copy judges samples.</summary>
public sealed class EmojiScorer : Module
{
    /// <summary>Side of the pictures it looks at.</summary>
    public const int Size = 64;

    private const double StartScale = 10;
    private const double StartBias = -10;
    private const double Dropped = 0.1;

    private readonly ClipTextModelWithProjection text;
    private readonly EmojiImageTower image;
    private readonly SeededDropout dropout;
    private readonly Linear image_projection;
    private readonly Linear concepts;
    private readonly Linear styles;
    private readonly Parameter logit_scale;
    private readonly Parameter logit_bias;

    public EmojiScorer(ClipTextConfig config, int conceptCount, int styleCount)
        : base(nameof(EmojiScorer))
    {
        text = new ClipTextModelWithProjection(config);
        image = new EmojiImageTower();
        dropout = new SeededDropout(Dropped);
        image_projection = Linear(EmojiImageTower.Width, config.ProjectionDim, hasBias: false);
        concepts = Linear(EmojiImageTower.Width, conceptCount);
        styles = Linear(EmojiImageTower.Width, styleCount);
        logit_scale = Parameter(zeros(1));
        logit_bias = Parameter(zeros(1));
        RegisterComponents();
    }

    /// <summary>The text encoder's config. The end token has the highest id, so that every rule of finding it agrees.</summary>
    /// <param name="tokens">Of the vocabulary, and those that a caption may have.</param>
    public static ClipTextConfig TextConfig((int Vocabulary, int Positions) tokens, int width, int layers, int heads, int projection) => new(
        tokens.Vocabulary, width, 4 * width, projection, layers, heads, tokens.Positions, "quick_gelu", 1e-5, PadTokenId: tokens.Vocabulary - 1, BosTokenId: tokens.Vocabulary - 2, EosTokenId: tokens.Vocabulary - 1);

    /// <summary>Log of the factor on similarities, [1].</summary>
    public Tensor LogScale => logit_scale;

    /// <summary>Added to scaled similarities, [1].</summary>
    public Tensor Bias => logit_bias;

    /// <summary>Draws start weights: small vectors for tokens and places, torch's defaults elsewhere.</summary>
    public void Initialize(Generator generator)
    {
        Initialization.Reset(this, generator);
        using var scope = NewDisposeScope();
        using var still = no_grad();
        foreach (var (name, parameter) in named_parameters())
            if (name.EndsWith("_embedding.weight", StringComparison.Ordinal))
                parameter.normal_(0, 0.02, generator);
        logit_scale.fill_(Math.Log(StartScale));
        logit_bias.fill_(StartBias);
    }

    /// <summary>The part that looks at pictures.</summary>
    public EmojiImageTower Image => image;

    /// <summary>What is before the heads and the projection: distances between sets of pictures are measured in it.</summary>
    /// <param name="pictures">[B, 3, 64, 64] in [-1, 1].</param>
    /// <returns>[B, 256].</returns>
    public Tensor Features(Tensor pictures) => image.call(pictures);

    /// <param name="features">Of <see cref="Features"/>.</param>
    /// <returns>Unit vectors of pictures, and logits of concept and style; all fp32.</returns>
    public (Tensor Vectors, Tensor Concepts, Tensor Styles) Judge(Tensor features)
    {
        using var scope = NewDisposeScope();
        var x = dropout.call(features);
        return (Unit(image_projection.call(x)).MoveToOuterDisposeScope(), concepts.call(x).to(float32).MoveToOuterDisposeScope(), styles.call(x).to(float32).MoveToOuterDisposeScope());
    }

    /// <param name="ids">Captions, [B, T].</param>
    /// <returns>Unit vectors, fp32 [B, P].</returns>
    public Tensor Captions(Tensor ids)
    {
        using var scope = NewDisposeScope();
        return Unit(text.call(ids, null).Pooled!).MoveToOuterDisposeScope();
    }

    private static Tensor Unit(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var values = vectors.to(float32);
        return (values / values.norm(1, keepdim: true).clamp_min(1e-6)).MoveToOuterDisposeScope();
    }
}
