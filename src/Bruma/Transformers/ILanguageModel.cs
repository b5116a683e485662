using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>A network that tells, for each token of a text, which token comes next.</summary>
public interface ILanguageModel
{
    /// <summary>How many caches of keys and values it needs.</summary>
    int Layers { get; }

    /// <summary>V.</summary>
    int VocabularySize { get; }

    /// <summary>The longest text, where learned positions end; null for none.</summary>
    int? MaxPositions { get; }

    /// <param name="inputIds">[B, T].</param>
    /// <returns>States behind the final norm, [B, T, D].</returns>
    TransformerOutput Read(Tensor inputIds, TextPass pass);

    /// <param name="states">[..., D].</param>
    /// <returns>Scores of the next token, [..., V].</returns>
    Tensor Predict(Tensor states);
}

/// <summary>A network that reads one sequence and writes another.</summary>
public interface ISequenceModel
{
    /// <summary>Of the decoder.</summary>
    int Layers { get; }

    /// <summary>V, of what it writes.</summary>
    int VocabularySize { get; }

    /// <param name="inputIds">[B, S].</param>
    /// <param name="mask">1 for tokens, 0 for padding, [B, S]; null when all are tokens.</param>
    /// <returns>[B, S, D].</returns>
    TransformerOutput Encode(Tensor inputIds, Tensor? mask, bool keepWeights = false);

    /// <param name="targetIds">What is written so far, or its part behind the cache, [B, T].</param>
    DecoderOutput Decode(Tensor targetIds, DecoderPass pass);

    /// <inheritdoc cref="ILanguageModel.Predict"/>
    Tensor Predict(Tensor states);
}

/// <summary>What a decoder needs besides its tokens.</summary>
/// <param name="Context">The encoder's states, [B, S, D].</param>
/// <param name="ContextMask">1 for tokens of the source, 0 for padding, [B, S]; null when all are tokens.</param>
/// <param name="Cache">What was written before; null for none.</param>
/// <param name="KeepWeights">Whether the output holds the attention weights.</param>
public readonly record struct DecoderPass(Tensor Context, Tensor? ContextMask = null, Tensor? Mask = null, KeyValueCache? Cache = null, bool KeepWeights = false);

/// <summary>What a decoder gives.</summary>
/// <param name="LastHiddenState">Behind the final norm, [B, T, D].</param>
/// <param name="Attentions">Of each layer, among the written tokens, [B, N, T, T]; empty unless asked for.</param>
/// <param name="CrossAttentions">Of each layer, on the source, [B, N, T, S]; empty unless asked for.</param>
public sealed record DecoderOutput(Tensor LastHiddenState, IReadOnlyList<Tensor> Attentions, IReadOnlyList<Tensor> CrossAttentions)
{
    internal DecoderOutput MoveToOuterDisposeScope()
    {
        foreach (var tensor in Attentions.Concat(CrossAttentions).Append(LastHiddenState))
            tensor.MoveToOuterDisposeScope();
        return this;
    }
}
