using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Transformers.Embeddings;

/// <summary>Who looks at whom in a sentence.</summary>
/// <param name="Tokens">As the vocabulary spells them, T.</param>
/// <param name="Weights">fp32 [layers, heads, T, T]: of a query (row) at a key (column); rows add up to 1.</param>
public sealed record AttentionMaps(IReadOnlyList<string> Tokens, Tensor Weights) : IDisposable
{
    public int Layers => (int)Weights.shape[0];

    public int Heads => (int)Weights.shape[1];

    /// <param name="text">One sentence, or with <paramref name="pair"/> two.</param>
    public static AttentionMaps Of(SentenceEmbedder embedder, string text, string? pair = null)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var encoded = embedder.Tokenizer.Encode(text, pair, new EncodingOptions(embedder.MaxLength, Truncation.LongestFirst));
        var tokens = TokenBatch.Of([encoded]);
        var output = embedder.Network.call(tokens.InputIds, new TextPass(tokens.AttentionMask, tokens.TypeIds, KeepWeights: true));
        var weights = cat([.. output.Attentions]).to(float32); // one sentence: the batch dimension becomes the layers
        return new AttentionMaps([.. encoded.Ids.Select(embedder.Tokenizer.TokenOf)], weights.DetachFromDisposeScope());
    }

    public void Dispose() => Weights.Dispose();
}
