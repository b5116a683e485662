using Bruma.Hub;
using Bruma.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Transformers.Embeddings;

/// <summary>Sentence vectors of a BERT: the states of the last layer pooled over the tokens, made unit length.</summary>
/// <remarks>Reimers and Gurevych 2019, arXiv:1908.10084; the folders of sentence-transformers.</remarks>
public sealed class SentenceEmbedder : ITextEmbedder
{
    private const int MostTokens = 4096; // of a batch, padding included
    private const int MostTexts = 128;
    private const int Step = 16; // batches of such multiples compute faster

    private readonly Pooling _pooling;
    private readonly bool _normalizes;
    private FastBert? _fast;

    private SentenceEmbedder(string folder, BertModel network, ScalarType precision)
    {
        Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        Network = network;
        Tokenizer = TokenizerMatch.Load(folder, network.Config.VocabSize);
        MaxLength = Math.Min(LengthOf(folder) ?? Tokenizer.Options.MaxLength ?? int.MaxValue, network.Config.MaxPositionEmbeddings);
        (_pooling, _normalizes) = (SentencePooling.Read(folder), SentencePooling.Normalizes(folder));
        network.to(precision);
    }

    public string Name { get; }

    public int Width => Network.Config.HiddenSize;

    /// <summary>Tokens of a text at most, special ones included.</summary>
    public int MaxLength { get; private set; }

    public long Truncated { get; private set; }

    public Tokenizer Tokenizer { get; }

    /// <summary>Vectors of whole texts come from a copy of its weights, made at the first.</summary>
    public BertModel Network { get; }

    /// <summary>Loads network, tokenizer, pooling and length limit of a folder.</summary>
    /// <param name="maxLength">Shortens texts further; null for the model's own limit.</param>
    /// <exception cref="BrumaException">A file is missing or damaged, or the tokenizer is another network's.</exception>
    public static SentenceEmbedder Load(string folder, ScalarType precision = ScalarType.Float32, int? maxLength = null)
    {
        var network = BertModel.Load(folder);
        try
        {
            var embedder = new SentenceEmbedder(folder, network, precision);
            embedder.MaxLength = Math.Min(embedder.MaxLength, maxLength ?? int.MaxValue);
            return embedder;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    public Tensor Embed(IReadOnlyList<string> texts)
    {
        using var scope = NewDisposeScope();
        var pooled = Pool(texts);
        return (_normalizes ? nn.functional.normalize(pooled, p: 2, dim: 1) : pooled).MoveToOuterDisposeScope();
    }

    /// <summary>The pooled states before they are made unit length.</summary>
    /// <returns>fp32 [texts, D].</returns>
    public Tensor Pool(IReadOnlyList<string> texts)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        _fast ??= new FastBert(Network);
        var result = zeros([texts.Count, Width], float32);
        var encoded = Encode(texts);
        foreach (var batch in Batches([.. encoded.Select(ids => ids.Ids.Count)]))
        {
            using var part = NewDisposeScope();
            var tokens = TokenBatches.Padded([.. batch.Select(index => encoded[index])], Tokenizer.Options.PadId ?? 0);
            var isFull = batch.All(index => encoded[index].Ids.Count == tokens.InputIds.shape[1]);
            var states = _fast.Run(tokens.InputIds, isFull ? null : tokens.AttentionMask, null);
            result.index_copy_(0, tensor(batch.Select(index => (long)index).ToArray()), SentencePooling.Of(states.to(float32), tokens.AttentionMask, _pooling));
        }
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>The ids of texts with special tokens, cut to <see cref="MaxLength"/>; what is cut is counted.</summary>
    public IReadOnlyList<TokenizedText> Encode(IReadOnlyList<string> texts)
    {
        var encoded = Tokenizer.EncodeBatch(texts, new EncodingOptions(MaxLength + 1, Truncation.LongestFirst));
        var tooLong = encoded.Count(text => text.Ids.Count > MaxLength);
        Truncated += tooLong;
        return tooLong == 0 ? encoded : Tokenizer.EncodeBatch(texts, new EncodingOptions(MaxLength, Truncation.LongestFirst));
    }

    /// <summary>Texts of like length together, so that little is padding.</summary>
    public static IEnumerable<int[]> Batches(IReadOnlyList<int> lengths)
    {
        int[] byLength = [.. Enumerable.Range(0, lengths.Count).OrderByDescending(index => lengths[index])];
        for (int start = 0, count; start < byLength.Length; start += count)
        {
            count = Math.Clamp(MostTokens / Math.Max(1, lengths[byLength[start]]), 1, MostTexts);
            count = Math.Min(count >= Step ? count - count % Step : count, byLength.Length - start);
            yield return byLength[start..(start + count)];
        }
    }

    public void Dispose()
    {
        _fast?.Dispose();
        Network.Dispose();
    }

    private static int? LengthOf(string folder)
    {
        var path = Path.Combine(folder, "sentence_bert_config.json");
        if (!File.Exists(path))
            return null;
        using var json = PythonJson.ParseFile(path);
        return json.RootElement.TryGetProperty("max_seq_length", out var length) && length.TryGetInt32(out var tokens) ? tokens : null;
    }
}
