using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>Llama without its output layer.</summary>
public sealed class LlamaModel : Module<Tensor, TextPass, TransformerOutput>
{
    private readonly Embedding embed_tokens;
    private readonly ModuleList<LlamaLayer> layers = ModuleList<LlamaLayer>();
    private readonly RmsNorm norm;
    private readonly RotaryFrequencies _frequencies;

    public LlamaModel(LlamaConfig config, Device? device = null)
        : base(nameof(LlamaModel))
    {
        embed_tokens = Embedding(config.VocabSize, config.HiddenSize, device: device);
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
            layers.Add(new LlamaLayer(config, device));
        norm = new RmsNorm(config.HiddenSize, config.RmsNormEps, device);
        _frequencies = config.Frequencies;
        RegisterComponents();
    }

    /// <summary>The table of token vectors, [V, D].</summary>
    public Embedding TokenEmbedding => embed_tokens;

    /// <param name="inputIds">[B, T].</param>
    /// <returns>The last hidden state is behind the final norm.</returns>
    public override TransformerOutput forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        var x = embed_tokens.call(inputIds);
        var call = pass.Attention(x, causal: true) with { Rotation = _frequencies.At(pass.PositionsOf(inputIds), x.dtype) };
        var output = LayerStack.Run(layers, x, call, pass.Cache);
        return (output with { LastHiddenState = norm.call(output.LastHiddenState) }).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention with rotary positions and gated feed-forward, each behind a norm and within a residual.</summary>
public sealed class LlamaLayer : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly RmsNorm input_layernorm;
    private readonly MultiHeadAttention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly TokenFeedForward mlp;

    public LlamaLayer(LlamaConfig config, Device? device = null)
        : base(nameof(LlamaLayer))
    {
        input_layernorm = new RmsNorm(config.HiddenSize, config.RmsNormEps, device);
        self_attn = new MultiHeadAttention(
            new AttentionPlan(config.HiddenSize, config.NumAttentionHeads, config.HeadDim, config.NumKeyValueHeads, config.AttentionBias, config.AttentionBias, Dropout: config.AttentionDropout),
            new ProjectionKeys("q_proj", "k_proj", "v_proj", "o_proj"),
            device);
        post_attention_layernorm = new RmsNorm(config.HiddenSize, config.RmsNormEps, device);
        mlp = new TokenFeedForward((config.HiddenSize, config.IntermediateSize), config.HiddenAct, new FeedForwardKeys("up_proj", "down_proj", "gate_proj"), config.MlpBias, device: device);
        RegisterComponents();
    }

    /// <param name="x">[B, T, D].</param>
    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = self_attn.call(input_layernorm.call(x), call);
        var h = x + mixed;
        h = h + mlp.call(post_attention_layernorm.call(h));
        return new AttentionResult(h, weights).MoveToOuterDisposeScope();
    }
}

/// <summary>Llama, with the config keys and checkpoint keys of transformers.</summary>
/// <remarks>Touvron et al. 2023, arXiv:2302.13971; Llama 3's long texts: arXiv:2407.21783.</remarks>
public sealed class LlamaForCausalLm : Module<Tensor, TextPass, Tensor>, ILanguageModel
{
    private readonly LlamaModel model;
    private readonly Linear? lm_head;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public LlamaForCausalLm(LlamaConfig config, Device? device = null)
        : base(nameof(LlamaForCausalLm))
    {
        config.Check(new ConfigCheck(nameof(LlamaForCausalLm)));
        Config = config;
        model = new LlamaModel(config, device);
        lm_head = config.TieWordEmbeddings ? null : Linear(config.HiddenSize, config.VocabSize, hasBias: false, device: device);
        RegisterComponents();
    }

    public LlamaConfig Config { get; }

    public int Layers => Config.NumHiddenLayers;

    public int VocabularySize => Config.VocabSize;

    public int? MaxPositions => null;

    /// <inheritdoc cref="Gpt2LmHeadModel.Load"/>
    public static LlamaForCausalLm Load(string folder, string? variant = null)
    {
        var config = TransformerConfigs.Read(folder, TransformerConfigs.Default.LlamaConfig, "pretraining_tp");
        return TransformerFiles.Load(
            new LlamaForCausalLm(config),
            folder,
            variant,
            new WeightOptions(name => name.StartsWith("model.", StringComparison.Ordinal) || name.StartsWith("lm_head.", StringComparison.Ordinal) ? name : $"model.{name}",
                name => name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal) || config.TieWordEmbeddings && name == "lm_head.weight"));
    }

    /// <inheritdoc cref="Gpt2LmHeadModel.forward"/>
    public override Tensor forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        return Predict(Read(inputIds, pass).LastHiddenState).MoveToOuterDisposeScope();
    }

    public TransformerOutput Read(Tensor inputIds, TextPass pass) => model.call(inputIds, pass);

    public Tensor Predict(Tensor states) => lm_head is null ? functional.linear(states, model.TokenEmbedding.weight!) : lm_head.call(states);
}
