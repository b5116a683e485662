using Bruma.Text;

namespace Bruma.Transformers.Embeddings;

/// <summary>Texts of different lengths as one batch.</summary>
public static class TokenBatches
{
    /// <summary>Fills every text to the longest, on the right.</summary>
    public static TokenBatch Padded(IReadOnlyList<TokenizedText> texts, int padId)
    {
        var longest = texts.Max(text => text.Ids.Count);
        return TokenBatch.Of([.. texts.Select(text =>
        {
            var missing = longest - text.Ids.Count;
            return missing == 0 ? text : new TokenizedText([.. text.Ids, .. Enumerable.Repeat(padId, missing)], [.. text.TypeIds, .. new int[missing]], [.. text.AttentionMask, .. new int[missing]]);
        })]);
    }
}
