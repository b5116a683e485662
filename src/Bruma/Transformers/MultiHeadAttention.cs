using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>Sizes of attention.</summary>
/// <param name="Width">D, of the tokens and of the context.</param>
/// <param name="Heads">N, of the queries.</param>
/// <param name="HeadWidth">d; null for D / N.</param>
/// <param name="KeyHeads">Heads of keys and values, each serving several query heads (arXiv:2305.13245); null for N.</param>
/// <param name="Bias">Whether the projections of query, key and value have one.</param>
/// <param name="OutputBias">Whether the output's has one.</param>
/// <param name="Scale">Factor of the scores; null for 1 / √d.</param>
/// <param name="Dropout">Of the attention weights.</param>
public sealed record AttentionPlan(
    long Width,
    long Heads,
    long? HeadWidth = null,
    long? KeyHeads = null,
    bool Bias = true,
    bool OutputBias = true,
    double? Scale = null,
    double Dropout = 0);

/// <summary>The names of the projections in the checkpoint; without a name for the output there is no such projection.</summary>
public readonly record struct ProjectionKeys(string Query, string Key, string Value, string? Output);

/// <summary>Multi-head attention of the language and vision transformers: projections under the names that each family gives them.</summary>
/// <remarks>Vaswani et al. 2017, arXiv:1706.03762.</remarks>
public sealed class MultiHeadAttention : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear? _output;
    private readonly SeededDropout _dropout;
    private readonly long _heads;
    private readonly long _keyHeads;
    private readonly double _scale;

    /// <exception cref="BrumaException">The heads do not divide the width.</exception>
    public MultiHeadAttention(AttentionPlan plan, ProjectionKeys keys, Device? device = null)
        : base(nameof(MultiHeadAttention))
    {
        (_heads, _keyHeads) = (plan.Heads, plan.KeyHeads ?? plan.Heads);
        if (plan.HeadWidth is null && (_heads <= 0 || plan.Width % _heads != 0) || _keyHeads <= 0 || _heads % _keyHeads != 0)
            throw new BrumaException($"Attention of width {plan.Width} does not divide into {_heads} heads that share {_keyHeads} keys; correct the numbers of heads in the config.");
        var headWidth = plan.HeadWidth ?? plan.Width / _heads;
        _scale = plan.Scale ?? 1 / Math.Sqrt(headWidth);

        register_module(keys.Query, _query = Linear(plan.Width, _heads * headWidth, plan.Bias, device));
        register_module(keys.Key, _key = Linear(plan.Width, _keyHeads * headWidth, plan.Bias, device));
        register_module(keys.Value, _value = Linear(plan.Width, _keyHeads * headWidth, plan.Bias, device));
        if (keys.Output is not null)
            register_module(keys.Output, _output = Linear(_heads * headWidth, plan.Width, plan.OutputBias, device));
        register_module("dropout", _dropout = new SeededDropout(plan.Dropout));
    }

    /// <param name="x">Tokens, [B, T, D].</param>
    /// <returns>[B, T, D], without the residual.</returns>
    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var query = AttentionProduct.SplitHeads(_query.call(x), _heads);
        if (call.Rotation is { } rotation)
            query = rotation.Apply(query);
        var (key, value) = KeysAndValues(x, call);
        var (mixed, weights) = AttentionProduct.Weighted(query, Shared(key), Shared(value), call.Bias, _scale, _dropout);
        var joined = AttentionProduct.JoinHeads(mixed);
        return new AttentionResult(_output is null ? joined : _output.call(joined), call.KeepWeights ? weights : null).MoveToOuterDisposeScope();
    }

    private (Tensor Key, Tensor Value) KeysAndValues(Tensor x, AttentionCall call)
    {
        if (call.Context is not null && call.Cache?.Stored is { } known)
            return known;
        var source = call.Context ?? x;
        var key = AttentionProduct.SplitHeads(_key.call(source), _keyHeads);
        var value = AttentionProduct.SplitHeads(_value.call(source), _keyHeads);
        if (call.Rotation is { } rotation)
            key = rotation.Apply(key);
        return call.Cache is null ? (key, value) : call.Cache.Append(key, value);
    }

    /// <summary>Repeats each head of keys or values for the query heads that it serves.</summary>
    private Tensor Shared(Tensor x) => _keyHeads == _heads ? x : x.repeat_interleave(_heads / _keyHeads, 1);
}
