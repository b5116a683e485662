using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>Sizes of a <see cref="SequenceTransformer"/>.</summary>
/// <param name="VocabSize">V, of source and target together.</param>
/// <param name="Positions">One of <see cref="PositionScheme.Kinds"/>.</param>
/// <param name="MaxPositions">Of learned positions.</param>
/// <param name="BosId">What the target begins with.</param>
/// <param name="EosId">What it ends with.</param>
public sealed record SequenceTransformerConfig(
    int VocabSize, TransformerPlan Layers, string Positions = "sinusoidal", int MaxPositions = 512, int PadId = 0, int BosId = 1, int EosId = 2) : ICheckedConfig
{
    public void Check(ConfigCheck check)
    {
        Layers.Check(check);
        check.OneOf("positions", Positions, [.. PositionScheme.Kinds]);
        check.Require(VocabSize > 0, "vocab_size", VocabSize, "a number above 0");
        check.Require(MaxPositions > 0, "max_positions", MaxPositions, "a number above 0");
    }
}

/// <summary>The complete encoder-decoder with embeddings, exchangeable positions and output layer: what learns to turn one sequence into another from scratch.</summary>
/// <remarks>Vaswani et al. 2017, arXiv:1706.03762: one table of token vectors for source and target, scaled by √D.</remarks>
public sealed class SequenceTransformer : Module<SequencePair, Tensor>, ISequenceModel
{
    private readonly Embedding embed;
    private readonly Transformer transformer;
    private readonly Linear @out;
    private readonly PositionScheme source_positions;
    private readonly PositionScheme target_positions;
    private readonly SeededDropout dropout;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public SequenceTransformer(SequenceTransformerConfig config, Device? device = null)
        : base(nameof(SequenceTransformer))
    {
        config.Check(new ConfigCheck(nameof(SequenceTransformer)));
        Config = config;
        embed = Embedding(config.VocabSize, config.Layers.DModel, device: device);
        transformer = new Transformer(config.Layers, device);
        @out = Linear(config.Layers.DModel, config.VocabSize, device: device);
        source_positions = new PositionScheme(config.Positions, (config.Layers.DModel, config.Layers.Nhead), config.MaxPositions, bidirectional: true, device);
        target_positions = new PositionScheme(config.Positions, (config.Layers.DModel, config.Layers.Nhead), config.MaxPositions, bidirectional: false, device);
        dropout = new SeededDropout(config.Layers.Dropout);
        RegisterComponents();
    }

    public SequenceTransformerConfig Config { get; }

    public int Layers => Config.Layers.NumDecoderLayers;

    public int VocabularySize => Config.VocabSize;

    /// <inheritdoc cref="BertModel.Load"/>
    public static SequenceTransformer Load(string folder, string? variant = null) =>
        TransformerFiles.Load(new SequenceTransformer(TransformerConfigs.Read(folder, TransformerConfigs.Default.SequenceTransformerConfig)), folder, variant);

    /// <summary>Draws start weights: Glorot's bound for matrices, token vectors of unit length in the mean.</summary>
    public void Reset(Generator generator)
    {
        transformer.Reset(generator);
        using var still = no_grad();
        embed.weight!.normal_(0, Math.Pow(Config.Layers.DModel, -0.5), generator);
        Initialization.Xavier(@out, generator);
        source_positions.Reset(generator);
        target_positions.Reset(generator);
    }

    /// <returns>Scores of the next token at each place of the target, [B, T, V].</returns>
    public override Tensor forward(SequencePair pair)
    {
        using var scope = NewDisposeScope();
        var context = Encode(pair.SourceIds, pair.SourceMask).LastHiddenState;
        return Predict(Decode(pair.TargetIds, new DecoderPass(context, pair.SourceMask, pair.TargetMask)).LastHiddenState).MoveToOuterDisposeScope();
    }

    public TransformerOutput Encode(Tensor inputIds, Tensor? mask, bool keepWeights = false)
    {
        using var scope = NewDisposeScope();
        var positions = arange(inputIds.shape[1], device: inputIds.device).unsqueeze(0);
        var x = Embedded(inputIds, source_positions, positions);
        return transformer.Encoder.Run(x, source_positions.Attention(x, positions, mask, past: 0, causal: false, keepWeights)).MoveToOuterDisposeScope();
    }

    public DecoderOutput Decode(Tensor targetIds, DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        var past = pass.Cache?.Length ?? 0;
        var positions = arange(past, past + targetIds.shape[1], device: targetIds.device).unsqueeze(0);
        var x = Embedded(targetIds, target_positions, positions);
        var self = target_positions.Attention(x, positions, pass.Mask, past, causal: true, pass.KeepWeights);
        var cross = new AttentionCall(AttentionBias.Create(pass.ContextMask, (x.shape[1], pass.Context.shape[1]), causal: false, x.dtype, x.device), pass.Context, KeepWeights: pass.KeepWeights);
        return transformer.Decoder.Run(x, self, cross, pass.Cache).MoveToOuterDisposeScope();
    }

    public Tensor Predict(Tensor states) => @out.call(states);

    /// <summary>Writes config and weights as a folder that <see cref="Load"/> reads.</summary>
    public void Save(string folder) => TransformerFiles.Save(this, folder, Config, TransformerConfigs.Default.SequenceTransformerConfig, nameof(SequenceTransformer));

    private Tensor Embedded(Tensor ids, PositionScheme scheme, Tensor positions) => dropout.call(scheme.Add(embed.call(ids) * Math.Sqrt(Config.Layers.DModel), positions));
}
