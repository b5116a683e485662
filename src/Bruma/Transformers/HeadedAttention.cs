using Bruma.Nn;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>Attention of several heads with masks, relative and rotary positions and a cache; how tokens become queries, keys and values is the subclass's.</summary>
/// <remarks>Vaswani et al. 2017, arXiv:1706.03762.</remarks>
public abstract class HeadedAttention : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly SeededDropout _dropout;
    private readonly long _heads;
    private readonly long _keyHeads;
    private readonly double _scale;

    /// <exception cref="BrumaException">The heads do not divide the width.</exception>
    protected HeadedAttention(string name, AttentionPlan plan)
        : base(name)
    {
        (_heads, _keyHeads) = (plan.Heads, plan.KeyHeads ?? plan.Heads);
        if (plan.HeadWidth is null && (_heads <= 0 || plan.Width % _heads != 0) || _keyHeads <= 0 || _heads % _keyHeads != 0)
            throw new BrumaException($"Attention of width {plan.Width} does not divide into {_heads} heads that share {_keyHeads} keys; correct the numbers of heads in the config.");
        var headWidth = plan.HeadWidth ?? plan.Width / _heads;
        (QueryWidth, KeyWidth) = (_heads * headWidth, _keyHeads * headWidth);
        _scale = plan.Scale ?? 1 / Math.Sqrt(headWidth);
        register_module("dropout", _dropout = new SeededDropout(plan.Dropout));
    }

    /// <summary>N * d, of all query heads.</summary>
    protected long QueryWidth { get; }

    /// <summary>The same of all key heads.</summary>
    protected long KeyWidth { get; }

    /// <param name="x">Tokens, [B, T, D].</param>
    /// <returns>[B, T, D], without the residual.</returns>
    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (query, key, value) = Heads(x, call);
        var (mixed, weights) = AttentionProduct.Weighted(query, Shared(key), Shared(value), call.Bias, _scale, _dropout);
        return new AttentionResult(ProjectOutput(AttentionProduct.JoinHeads(mixed)), call.KeepWeights ? weights : null).MoveToOuterDisposeScope();
    }

    /// <param name="x">[B, T, D].</param>
    /// <param name="context">[B, S, D]; null for the tokens themselves.</param>
    /// <returns>[B, T, N * d] and twice [B, S or T, heads of the keys * d].</returns>
    protected abstract (Tensor Query, Tensor Key, Tensor Value) Project(Tensor x, Tensor? context);

    /// <summary>The queries alone, where keys and values are known already.</summary>
    protected abstract Tensor ProjectQuery(Tensor x);

    /// <param name="mixed">[B, T, N * d].</param>
    protected abstract Tensor ProjectOutput(Tensor mixed);

    private (Tensor Query, Tensor Key, Tensor Value) Heads(Tensor x, AttentionCall call)
    {
        if (call.Context is not null && call.Cache?.Stored is { } known)
            return (Rotated(AttentionProduct.SplitHeads(ProjectQuery(x), _heads), call), known.Key, known.Value);
        var (query, key, value) = Project(x, call.Context);
        query = Rotated(AttentionProduct.SplitHeads(query, _heads), call);
        key = Rotated(AttentionProduct.SplitHeads(key, _keyHeads), call);
        value = AttentionProduct.SplitHeads(value, _keyHeads);
        var all = call.Cache?.Append(key, value) ?? (key, value);
        return (query, all.Key, all.Value);
    }

    private static Tensor Rotated(Tensor x, AttentionCall call) => call.Rotation is { } rotation ? rotation.Apply(x) : x;

    /// <summary>Repeats each head of keys or values for the query heads that it serves.</summary>
    private Tensor Shared(Tensor x) => _keyHeads == _heads ? x : x.repeat_interleave(_heads / _keyHeads, 1);
}
