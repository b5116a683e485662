using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>GPT-2 without its output layer.</summary>
public sealed class Gpt2Model : Module<Tensor, TextPass, TransformerOutput>
{
    private readonly Embedding wte;
    private readonly Embedding wpe;
    private readonly ModuleList<Gpt2Block> h = ModuleList<Gpt2Block>();
    private readonly LayerNorm ln_f;
    private readonly SeededDropout dropout;

    public Gpt2Model(Gpt2Config config, Device? device = null)
        : base(nameof(Gpt2Model))
    {
        wte = Embedding(config.VocabSize, config.NEmbd, device: device);
        wpe = Embedding(config.NPositions, config.NEmbd, device: device);
        for (var layer = 0; layer < config.NLayer; layer++)
            h.Add(new Gpt2Block(config, layer, device));
        ln_f = LayerNorm(config.NEmbd, config.LayerNormEpsilon, device: device);
        dropout = new SeededDropout(config.EmbdPdrop);
        RegisterComponents();
    }

    /// <summary>The table of token vectors, [V, D].</summary>
    public Embedding TokenEmbedding => wte;

    /// <param name="inputIds">[B, T].</param>
    /// <returns>The last hidden state is behind the final norm.</returns>
    public override TransformerOutput forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        PositionLimit.Require(pass.Past + inputIds.shape[1], wpe.weight!.shape[0]);
        var x = dropout.call(wte.call(inputIds) + wpe.call(pass.PositionsOf(inputIds)));
        var output = LayerStack.Run(h, x, pass.Attention(x, causal: true), pass.Cache);
        return (output with { LastHiddenState = ln_f.call(output.LastHiddenState) }).MoveToOuterDisposeScope();
    }

    /// <summary>OpenAI's start: normal weights of deviation 0.02, those into the residual stream smaller the deeper the network.</summary>
    internal void Reset(Gpt2Config config, Generator generator)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        foreach (var (name, module) in named_modules())
            switch (module)
            {
                case Embedding embedding:
                    embedding.weight!.normal_(0, 0.02, generator);
                    break;
                case TransposedLinear linear:
                    linear.Reset(name.EndsWith("c_proj", StringComparison.Ordinal) ? 0.02 / Math.Sqrt(2 * config.NLayer) : 0.02, generator);
                    break;
            }
    }
}

/// <summary>GPT-2, with the config keys and checkpoint keys of transformers; the output layer is the table of token vectors.</summary>
/// <remarks>Radford et al. 2019, "Language models are unsupervised multitask learners".</remarks>
public sealed class Gpt2LmHeadModel : Module<Tensor, TextPass, Tensor>, ILanguageModel
{
    private readonly Gpt2Model transformer;
    private readonly Linear? lm_head;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public Gpt2LmHeadModel(Gpt2Config config, Device? device = null)
        : base(nameof(Gpt2LmHeadModel))
    {
        config.Check(new ConfigCheck(nameof(Gpt2LmHeadModel)));
        Config = config;
        transformer = new Gpt2Model(config, device);
        lm_head = config.TieWordEmbeddings ? null : Linear(config.NEmbd, config.VocabSize, hasBias: false, device: device);
        RegisterComponents();
    }

    public Gpt2Config Config { get; }

    public int Layers => Config.NLayer;

    public int VocabularySize => Config.VocabSize;

    public int? MaxPositions => Config.NPositions;

    /// <summary>Loads a folder with <c>config.json</c> and the weights beside it; the weights become fp32.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static Gpt2LmHeadModel Load(string folder, string? variant = null) => TransformerFiles.Load(
        new Gpt2LmHeadModel(TransformerConfigs.Read(folder, TransformerConfigs.Default.Gpt2Config, "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj", "reorder_and_upcast_attn")),
        folder,
        variant,
        new WeightOptions(name => name.StartsWith("transformer.", StringComparison.Ordinal) || name.StartsWith("lm_head.", StringComparison.Ordinal) ? name : $"transformer.{name}", IsConstant));

    /// <summary>Draws OpenAI's start weights for training from scratch.</summary>
    public void Reset(Generator generator) => transformer.Reset(Config, generator);

    /// <summary>Writes a folder that <see cref="Load"/> and transformers read; a tokenizer's files go beside.</summary>
    /// <param name="endId">The token that ends a text, and begins one.</param>
    public void Save(string folder, int endId)
    {
        TransformerFiles.Save(this, folder, Config, TransformerConfigs.Default.Gpt2Config, "GPT2LMHeadModel", ("model_type", "gpt2"), ("bos_token_id", endId), ("eos_token_id", endId), ("pad_token_id", endId));
        AtomicFile.WriteText(Path.Combine(folder, "generation_config.json"), FormattableString.Invariant($$"""{"bos_token_id": {{endId}}, "eos_token_id": {{endId}}, "pad_token_id": {{endId}}}""") + "\n");
    }

    /// <param name="inputIds">[B, T].</param>
    /// <returns>Scores of the next token at each place, [B, T, V].</returns>
    public override Tensor forward(Tensor inputIds, TextPass pass = default)
    {
        using var scope = NewDisposeScope();
        return Predict(Read(inputIds, pass).LastHiddenState).MoveToOuterDisposeScope();
    }

    public TransformerOutput Read(Tensor inputIds, TextPass pass) => transformer.call(inputIds, pass);

    public Tensor Predict(Tensor states) => lm_head is null ? functional.linear(states, transformer.TokenEmbedding.weight!) : lm_head.call(states);

    /// <summary>Masks that old files store, and the output layer where it is the table of token vectors.</summary>
    private static bool IsConstant(string name) =>
        name.EndsWith(".attn.bias", StringComparison.Ordinal) || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal) || name == "lm_head.weight";
}
