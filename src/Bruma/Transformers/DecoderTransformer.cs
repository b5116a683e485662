using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>A small language model with exchangeable positions: causal layers, a final norm and an output layer of its own.</summary>
public sealed class DecoderTransformer : Module<Tensor, TextPass, Tensor>, ILanguageModel
{
    private readonly Embedding embed;
    private readonly TransformerEncoder layers;
    private readonly PositionScheme positions;
    private readonly Linear @out;
    private readonly TransformerPlan _plan;
    private readonly SeededDropout dropout;

    /// <param name="kind">One of <see cref="PositionScheme.Kinds"/>.</param>
    /// <param name="maxPositions">Of learned positions.</param>
    public DecoderTransformer(int vocabularySize, TransformerPlan plan, string kind, int maxPositions, Device? device = null)
        : base(nameof(DecoderTransformer))
    {
        plan.Check(new ConfigCheck(nameof(DecoderTransformer)));
        (_plan, VocabularySize) = (plan, vocabularySize);
        embed = Embedding(vocabularySize, plan.DModel, device: device);
        layers = new TransformerEncoder(plan, device);
        positions = new PositionScheme(kind, (plan.DModel, plan.Nhead), maxPositions, bidirectional: false, device);
        @out = Linear(plan.DModel, vocabularySize, device: device);
        dropout = new SeededDropout(plan.Dropout);
        MaxPositions = kind == "learned" ? maxPositions : null;
        RegisterComponents();
    }

    public int Layers => _plan.NumEncoderLayers;

    public int VocabularySize { get; }

    public int? MaxPositions { get; }

    /// <summary>Draws start weights.</summary>
    public void Reset(Generator generator)
    {
        Transformer.Reset(layers, generator);
        using var still = no_grad();
        embed.weight!.normal_(0, Math.Pow(_plan.DModel, -0.5), generator);
        Initialization.Xavier(@out, generator);
        positions.Reset(generator);
    }

    /// <inheritdoc cref="Gpt2LmHeadModel.forward"/>
    public override Tensor forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        return Predict(Read(inputIds, pass).LastHiddenState).MoveToOuterDisposeScope();
    }

    public TransformerOutput Read(Tensor inputIds, TextPass pass)
    {
        using var scope = NewDisposeScope();
        var at = pass.PositionsOf(inputIds);
        var x = dropout.call(positions.Add(embed.call(inputIds) * Math.Sqrt(_plan.DModel), at));
        return layers.Run(x, positions.Attention(x, at, pass.Mask, pass.Past, causal: true, pass.KeepWeights), pass.Cache).MoveToOuterDisposeScope();
    }

    public Tensor Predict(Tensor states) => @out.call(states);
}
