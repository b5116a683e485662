using static TorchSharp.torch;

namespace Bruma.Text;

/// <summary>Which of two texts becomes shorter when both are too long.</summary>
public enum Truncation
{
    None,

    /// <summary>The longer one, token by token.</summary>
    LongestFirst,
    OnlyFirst,
    OnlySecond,
}

/// <summary>To which length texts are filled.</summary>
public enum Padding
{
    None,

    /// <summary>That of the longest text.</summary>
    Longest,

    /// <summary>The greatest allowed length.</summary>
    MaxLength,
}

/// <summary>How texts become ids; the options of transformers' tokenizers.</summary>
/// <param name="MaxLength">Tokens at most, special ones included; null for what the tokenizer's config says.</param>
/// <param name="PadToMultipleOf">Rounds the padded length up; null for no rounding.</param>
public sealed record EncodingOptions(int? MaxLength = null, Truncation Truncation = Truncation.None, Padding Padding = Padding.None, int? PadToMultipleOf = null, bool AddSpecialTokens = true);

/// <summary>A text, or two, as ids.</summary>
/// <param name="TypeIds">0 for the first text, 1 for the second where the network tells them apart.</param>
/// <param name="AttentionMask">1 for tokens, 0 for padding.</param>
public sealed record TokenizedText(IReadOnlyList<int> Ids, IReadOnlyList<int> TypeIds, IReadOnlyList<int> AttentionMask);

/// <summary>Several texts of one length as tensors.</summary>
/// <param name="InputIds">[B, T], 64-bit integers.</param>
/// <param name="AttentionMask">[B, T].</param>
/// <param name="TypeIds">[B, T].</param>
public sealed record TokenBatch(Tensor InputIds, Tensor AttentionMask, Tensor TypeIds)
{
    /// <exception cref="BrumaException">The texts differ in length.</exception>
    public static TokenBatch Of(IReadOnlyList<TokenizedText> texts, Device? device = null)
    {
        if (texts.Count == 0 || texts.Any(text => text.Ids.Count != texts[0].Ids.Count))
            throw new BrumaException($"The texts have {string.Join(", ", texts.Select(text => text.Ids.Count))} tokens and make no tensor; ask the tokenizer for padding.");
        return new TokenBatch(Matrix(text => text.Ids), Matrix(text => text.AttentionMask), Matrix(text => text.TypeIds));

        Tensor Matrix(Func<TokenizedText, IReadOnlyList<int>> values) => tensor([.. texts.SelectMany(values).Select(value => (long)value)], [texts.Count, texts[0].Ids.Count], device: device);
    }
}
