using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>Options of one pass over texts.</summary>
/// <param name="Mask">1 for tokens, 0 for padding, [B, S], with the positions in the cache; null when all count.</param>
/// <param name="TypeIds">0 for the first text, 1 for the second, [B, T], for networks that tell them apart; null for all 0.</param>
/// <param name="Positions">[B, T]; null to count on from the cache.</param>
/// <param name="Cache">What a decoder has seen already; it grows by these tokens. Null for none.</param>
/// <param name="KeepWeights">Whether the output holds the attention weights.</param>
public readonly record struct TextPass(Tensor? Mask = null, Tensor? TypeIds = null, Tensor? Positions = null, KeyValueCache? Cache = null, bool KeepWeights = false)
{
    /// <summary>How many positions are behind these tokens' first.</summary>
    internal long Past => Cache?.Length ?? 0;

    /// <summary>Where the tokens stand, [B or 1, T].</summary>
    internal Tensor PositionsOf(Tensor inputIds) => Positions ?? arange(Past, Past + inputIds.shape[1], device: inputIds.device).unsqueeze(0);

    internal AttentionCall Attention(Tensor x, bool causal) =>
        new(AttentionBias.Create(Mask, (x.shape[1], Past + x.shape[1]), causal, x.dtype, x.device), KeepWeights: KeepWeights);
}
