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
public sealed class MultiHeadAttention : HeadedAttention
{
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear? _output;

    /// <exception cref="BrumaException">The heads do not divide the width.</exception>
    public MultiHeadAttention(AttentionPlan plan, ProjectionKeys keys, Device? device = null)
        : base(nameof(MultiHeadAttention), plan)
    {
        register_module(keys.Query, _query = Linear(plan.Width, QueryWidth, plan.Bias, device));
        register_module(keys.Key, _key = Linear(plan.Width, KeyWidth, plan.Bias, device));
        register_module(keys.Value, _value = Linear(plan.Width, KeyWidth, plan.Bias, device));
        if (keys.Output is not null)
            register_module(keys.Output, _output = Linear(QueryWidth, plan.Width, plan.OutputBias, device));
    }

    protected override (Tensor Query, Tensor Key, Tensor Value) Project(Tensor x, Tensor? context) => (_query.call(x), _key.call(context ?? x), _value.call(context ?? x));

    protected override Tensor ProjectQuery(Tensor x) => _query.call(x);

    protected override Tensor ProjectOutput(Tensor mixed) => _output is null ? mixed : _output.call(mixed);
}
