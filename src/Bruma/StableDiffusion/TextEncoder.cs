using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using Embedding = TorchSharp.Modules.Embedding;

namespace Bruma.StableDiffusion;

/// <summary>One of a checkpoint's text encoders with its tokenizer.</summary>
public sealed class TextEncoder : IDisposable
{
    private readonly Func<Tensor, TransformerOutput> _run;
    private readonly Func<Tensor, Tensor> _finalNorm;
    private readonly Embedding _tokens;

    public TextEncoder(Tokenizer tokenizer, ClipTextModel network)
        : this(tokenizer, network, network.Config, network.TokenEmbedding) => (_run, _finalNorm) = (ids => network.call(ids, null), network.FinalNorm);

    public TextEncoder(Tokenizer tokenizer, ClipTextModelWithProjection network)
        : this(tokenizer, network, network.Config, network.TokenEmbedding) => (_run, _finalNorm) = (ids => network.call(ids, null), network.FinalNorm);

    private TextEncoder(Tokenizer tokenizer, Module network, ClipTextConfig config, Embedding tokens)
    {
        (Network, Config, _tokens) = (network, config, tokens);
        Prompts = new PromptTokenizer(tokenizer, Math.Min(tokenizer.Options.MaxLength ?? config.MaxPositionEmbeddings, config.MaxPositionEmbeddings));
        (_run, _finalNorm) = (null!, null!); // set by the public constructors
    }

    /// <summary>The CLIP text model, for adapters and for training.</summary>
    public Module Network { get; }

    public ClipTextConfig Config { get; }

    public PromptTokenizer Prompts { get; private set; }

    /// <summary>Adds a word that stands for learned vectors (textual inversion).</summary>
    /// <param name="token">The word as prompts write it.</param>
    /// <param name="vectors">[n, D] or [D].</param>
    /// <exception cref="BrumaException">The vectors are of another encoder, or the vocabulary has the word already.</exception>
    public void AddToken(string token, Tensor vectors)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var rows = vectors.ndim == 1 ? vectors.unsqueeze(0) : vectors;
        if (rows.ndim != 2 || rows.shape[1] != Config.HiddenSize)
            throw new BrumaException($"the embedding {token} has vectors of width {rows.shape[^1]}, the text encoder's have {Config.HiddenSize}: it was made for another model family.");
        var prompts = Prompts.With(token, (int)rows.shape[0]);
        Tensor table = _tokens.weight!;
        var missing = prompts.VocabularySize - rows.shape[0] - table.shape[0];
        if (missing < 0)
            table = table[..(int)(table.shape[0] + missing)]; // a table that is longer than the vocabulary
        else if (missing > 0)
            throw new BrumaException($"the tokenizer has {prompts.VocabularySize - rows.shape[0]} tokens, the text encoder only {table.shape[0]}; they belong to different models.");
        var grown = cat([table, rows.to(table.dtype, table.device)]);
        var old = _tokens.weight!;
        _tokens.weight = Parameter(grown.DetachFromDisposeScope(), requires_grad: false);
        old.Dispose();
        Prompts = prompts;
    }

    /// <summary>Hidden states of windows.</summary>
    /// <param name="chunks">B windows.</param>
    /// <returns>Before the final norm, but for the last; pooled at the end token.</returns>
    public TransformerOutput Run(IReadOnlyList<PromptChunk> chunks)
    {
        using var scope = NewDisposeScope();
        return _run(Ids(chunks)).MoveToOuterDisposeScope();
    }

    /// <returns>[B, T], 64-bit integers.</returns>
    public Tensor Ids(IReadOnlyList<PromptChunk> chunks) =>
        tensor([.. chunks.SelectMany(chunk => chunk.Ids).Select(id => (long)id)], [chunks.Count, Prompts.Length], device: _tokens.weight!.device);

    internal Tensor FinalNorm(Tensor hidden) => _finalNorm(hidden);

    public void Dispose() => Network.Dispose();
}
