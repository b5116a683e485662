using Bruma.Hub;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>What a network that reads one sequence and writes another is trained with.</summary>
/// <param name="SourceIds">[B, S].</param>
/// <param name="SourceMask">1 for tokens, 0 for padding, [B, S]; null when all are tokens.</param>
/// <param name="TargetIds">What the decoder sees, [B, T]: the start token and the target without its last token.</param>
/// <param name="TargetMask">As the source's, [B, T].</param>
public readonly record struct SequencePair(Tensor SourceIds, Tensor? SourceMask, Tensor TargetIds, Tensor? TargetMask = null);

/// <summary>T5 (1.0 and 1.1), with the config keys and checkpoint keys of transformers.</summary>
/// <remarks>Raffel et al. 2020, arXiv:1910.10683; gated feed-forward: Shazeer 2020, arXiv:2002.05202.</remarks>
public sealed class T5ForConditionalGeneration : Module<SequencePair, Tensor>, ISequenceModel
{
    private readonly Embedding shared;
    private readonly T5Stack encoder;
    private readonly T5Stack decoder;
    private readonly Linear? lm_head;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public T5ForConditionalGeneration(T5Config config, Device? device = null)
        : base(nameof(T5ForConditionalGeneration))
    {
        config.Check(new ConfigCheck(nameof(T5ForConditionalGeneration)));
        Config = config;
        shared = Embedding(config.VocabSize, config.DModel, device: device);
        encoder = new T5Stack(config, isDecoder: false, device);
        decoder = new T5Stack(config, isDecoder: true, device);
        lm_head = config.TieWordEmbeddings ? null : Linear(config.DModel, config.VocabSize, hasBias: false, device: device);
        RegisterComponents();
    }

    public T5Config Config { get; }

    public int Layers => Config.NumDecoderLayers ?? Config.NumLayers;

    public int VocabularySize => Config.VocabSize;

    /// <inheritdoc cref="Gpt2LmHeadModel.Load"/>
    public static T5ForConditionalGeneration Load(string folder, string? variant = null) => TransformerFiles.Load(
        new T5ForConditionalGeneration(TransformerConfigs.Read(folder, TransformerConfigs.Default.T5Config, "n_positions", "classifier_dropout", "dense_act_fn", "is_gated_act", "max_new_tokens")),
        folder,
        variant,
        new WeightOptions(Ignore: name => name is "encoder.embed_tokens.weight" or "decoder.embed_tokens.weight" or "lm_head.weight"
            || name.EndsWith("EncDecAttention.relative_attention_bias.weight", StringComparison.Ordinal)));

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
        return encoder.Encode(shared.call(inputIds), mask, keepWeights).MoveToOuterDisposeScope();
    }

    public DecoderOutput Decode(Tensor targetIds, DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        return decoder.Decode(shared.call(targetIds), pass).MoveToOuterDisposeScope();
    }

    public Tensor Predict(Tensor states)
    {
        if (lm_head is not null)
            return lm_head.call(states);
        using var scope = NewDisposeScope();
        return functional.linear(states * Math.Pow(Config.DModel, -0.5), shared.weight!).MoveToOuterDisposeScope();
    }

    /// <summary>What the decoder sees for these labels: the start token, then all but the last; ignored labels become padding.</summary>
    /// <param name="labels">[B, T], -100 for ignored places.</param>
    public Tensor Shifted(Tensor labels)
    {
        using var scope = NewDisposeScope();
        var start = full([labels.shape[0], 1], Config.DecoderStartTokenId ?? Config.PadTokenId, int64, labels.device);
        var shifted = cat([start, labels.narrow(1, 0, labels.shape[1] - 1)], 1);
        return shifted.masked_fill(shifted == -100, Config.PadTokenId).MoveToOuterDisposeScope();
    }
}
