using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>What a transformer gives.</summary>
/// <param name="LastHiddenState">[B, T, D]; whether a final norm is applied depends on the network.</param>
/// <param name="Pooled">One vector for the whole input, [B, D] or [B, P]; null where the network makes none.</param>
/// <param name="HiddenStates">The embeddings, then what each layer gave, [B, T, D] each, without a final norm.</param>
/// <param name="Attentions">Attention weights of each layer, [B, N, T, T]; empty unless asked for.</param>
public sealed record TransformerOutput(Tensor LastHiddenState, Tensor? Pooled, IReadOnlyList<Tensor> HiddenStates, IReadOnlyList<Tensor> Attentions)
{
    internal TransformerOutput MoveToOuterDisposeScope()
    {
        foreach (var tensor in HiddenStates.Concat(Attentions).Append(LastHiddenState).Append(Pooled).Distinct(ReferenceEqualityComparer.Instance).OfType<Tensor>())
            tensor.MoveToOuterDisposeScope(); // each once: a second move would reach one scope further
        return this;
    }
}

/// <summary>Runs layers one after the other.</summary>
internal static class LayerStack
{
    /// <returns>Without final norm and pooling: the last hidden state is the last layer's.</returns>
    public static TransformerOutput Run(IEnumerable<nn.Module<Tensor, AttentionCall, AttentionResult>> layers, Tensor x, AttentionCall call, KeyValueCache? cache = null, bool checkpointed = false)
    {
        var (states, attentions) = (new List<Tensor> { x }, new List<Tensor>());
        foreach (var layer in layers)
        {
            (x, var weights) = checkpointed && is_grad_enabled() ? Recomputed(layer, x, call) : layer.call(x, call with { Cache = cache?.Self(states.Count - 1) });
            states.Add(x);
            if (weights is not null)
                attentions.Add(weights);
        }
        return new TransformerOutput(x, null, states, attentions);
    }

    /// <summary>A layer whose intermediate results are computed again for its gradients.</summary>
    private static AttentionResult Recomputed(nn.Module<Tensor, AttentionCall, AttentionResult> layer, Tensor x, AttentionCall call)
    {
        var random = layer.modules().OfType<SeededDropout>().FirstOrDefault(dropout => dropout.Probability > 0)?.Generator;
        var input = x.requires_grad ? x : x.detach().requires_grad_(true); // below frozen layers, too, its own parameters need gradients
        return new AttentionResult(Checkpoint.Run(inputs => layer.call(inputs[0]!, call with { Bias = inputs[1], KeepWeights = false }).Hidden, random, input, call.Bias), null); // the bias as an input: it must live until then
    }
}
