using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>What a discriminator says.</summary>
/// <param name="Logits">High for real, [B].</param>
/// <param name="ClassLogits">[B, K]; null unless it guesses classes.</param>
public readonly record struct Judgement(Tensor Logits, Tensor? ClassLogits);

/// <summary>Pictures to logits; with classes by projection or with a second head.</summary>
public sealed class GanDiscriminator : Module
{
    private readonly Sequential layers;
    private readonly Module<Tensor, Tensor>? head;
    private readonly Embedding? embed;
    private readonly Module<Tensor, Tensor>? class_head;

    public GanDiscriminator(DiscriminatorConfig config) : base(nameof(GanDiscriminator))
    {
        Config = config;
        layers = LayerList.Build(config.Layers);
        if (config.Conditioning != ClassConditioning.None)
            head = Head(1);
        if (config.Conditioning == ClassConditioning.Projection)
            embed = Embedding(config.Classes, config.Features);
        if (config.Conditioning == ClassConditioning.AuxiliaryClassifier)
            class_head = Head(config.Classes);
        RegisterComponents();
    }

    public DiscriminatorConfig Config { get; }

    /// <param name="images">[B, C, H, W] in [-1, 1].</param>
    /// <param name="classes">int64 [B]; used by projection only.</param>
    public Judgement Judge(Tensor images, Tensor? classes)
    {
        using var scope = NewDisposeScope();
        var h = layers.call(images);
        if (head is null)
            return new Judgement(h.flatten().MoveToOuterDisposeScope(), null);
        var logits = head.call(h).flatten();
        if (embed is not null)
            logits += (embed.call(classes!) * h).sum(1);
        return new Judgement(logits.MoveToOuterDisposeScope(), class_head?.call(h).MoveToOuterDisposeScope());
    }

    private Module<Tensor, Tensor> Head(int outputs) => Config.SpectralHeads ? new SpectralLinear(Config.Features, outputs) : Linear(Config.Features, outputs);
}
