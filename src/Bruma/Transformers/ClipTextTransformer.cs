using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>Embeddings, causal layers, final norm and pooling; checkpoint key <c>text_model</c>.</summary>
public sealed class ClipTextTransformer : Module<Tensor, TextPass, TransformerOutput>
{
    /// <summary>The end token of published configs, which is not the tokenizer's.</summary>
    private const int LegacyEnd = 2;

    private readonly ClipTextEmbeddings embeddings;
    private readonly ClipEncoder encoder;
    private readonly LayerNorm final_layer_norm;
    private readonly int _end;

    public ClipTextTransformer(ClipTextConfig config, Device? device = null)
        : base(nameof(ClipTextTransformer))
    {
        embeddings = new ClipTextEmbeddings(config, device);
        encoder = new ClipEncoder(config.Tower, device);
        final_layer_norm = LayerNorm(config.HiddenSize, config.LayerNormEps, device: device);
        _end = config.EosTokenId!.Value;
        RegisterComponents();
    }

    internal Embedding TokenEmbedding => embeddings.Tokens;

    /// <returns>Hidden states before the final norm, the last one after it.</returns>
    public override TransformerOutput forward(Tensor inputIds, TextPass pass)
    {
        using var scope = NewDisposeScope();
        var x = embeddings.call(inputIds);
        var output = encoder.Run(x, pass.Attention(x, causal: true));
        var last = final_layer_norm.call(output.LastHiddenState);
        return (output with { LastHiddenState = last, Pooled = Pool(last, inputIds) }).MoveToOuterDisposeScope();
    }

    internal static ClipTextConfig ReadConfig(string folder) => TransformerConfigs.ReadSection(folder, "text_config", TransformerConfigs.Default.ClipTextConfig, "dropout");

    internal Tensor FinalNorm(Tensor hidden) => final_layer_norm.call(hidden);

    /// <summary>The vector at the first end token; with the legacy id at the largest id, which is the end token of CLIP's vocabulary.</summary>
    private Tensor Pool(Tensor last, Tensor ids)
    {
        var position = (_end == LegacyEnd ? ids.to(int64) : (ids == _end).to(int32)).argmax(-1);
        return last[arange(last.shape[0], device: last.device), position.to(last.device)]; // [B, D]
    }
}

/// <summary>Token vectors plus position vectors.</summary>
public sealed class ClipTextEmbeddings : Module<Tensor, Tensor>
{
    private readonly Embedding token_embedding;
    private readonly Embedding position_embedding;

    public ClipTextEmbeddings(ClipTextConfig config, Device? device = null)
        : base(nameof(ClipTextEmbeddings))
    {
        token_embedding = Embedding(config.VocabSize, config.HiddenSize, device: device);
        position_embedding = Embedding(config.MaxPositionEmbeddings, config.HiddenSize, device: device);
        RegisterComponents();
    }

    internal Embedding Tokens => token_embedding;

    /// <param name="inputIds">[B, T].</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor inputIds)
    {
        using var scope = NewDisposeScope();
        PositionLimit.Require(inputIds.shape[1], position_embedding.weight!.shape[0]);
        return (token_embedding.call(inputIds) + position_embedding.weight[..(int)inputIds.shape[1]]).MoveToOuterDisposeScope();
    }
}
