using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>What attention needs besides the tokens; the same for all layers of one pass, but for the cache.</summary>
/// <param name="Bias">Added to the scores, broadcastable to [B, N, Tq, Tk]: masks (see <see cref="AttentionBias"/>) and relative positions; null for none.</param>
/// <param name="Context">What the tokens look at, [B, S, C]; null for themselves.</param>
/// <param name="Rotation">Rotary positions of the tokens; null for none.</param>
/// <param name="Cache">Keys and values of earlier tokens, to which those of these are appended; with a context, its keys and values once they are known.</param>
/// <param name="KeepWeights">Whether the result holds the attention weights.</param>
public readonly record struct AttentionCall(Tensor? Bias = null, Tensor? Context = null, Rotation? Rotation = null, LayerCache? Cache = null, bool KeepWeights = false);

/// <summary>What attention, or a layer around it, gives.</summary>
/// <param name="Hidden">[B, T, D].</param>
/// <param name="Weights">How much each query looks at each key, [B, N, Tq, Tk]; null unless asked for.</param>
public readonly record struct AttentionResult(Tensor Hidden, Tensor? Weights)
{
    internal AttentionResult MoveToOuterDisposeScope()
    {
        Hidden.MoveToOuterDisposeScope();
        Weights?.MoveToOuterDisposeScope();
        return this;
    }
}
