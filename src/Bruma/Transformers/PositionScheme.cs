using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>One of the ways in which a transformer learns where a token stands, exchangeable for the others.</summary>
public sealed class PositionScheme : Module
{
    private const int Buckets = 32;
    private const int MaxDistance = 128;

    private readonly Embedding? table;
    private readonly Embedding? relative_attention_bias;
    private readonly RotaryFrequencies? _rotary;
    private readonly RelativeBuckets _buckets;
    private readonly (long Width, long Heads) _size;

    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="size">D and N.</param>
    /// <param name="maxPositions">Of learned positions.</param>
    /// <param name="bidirectional">Whether tokens see those behind them.</param>
    /// <exception cref="BrumaException">The kind is unknown.</exception>
    public PositionScheme(string kind, (long Width, long Heads) size, int maxPositions, bool bidirectional, Device? device = null)
        : base(nameof(PositionScheme))
    {
        if (!Kinds.Contains(kind))
            throw new BrumaException($"\"{kind}\" is no position encoding that Bruma knows; it knows {string.Join(", ", Kinds)}.");
        (Kind, _size) = (kind, size);
        table = kind == "learned" ? Embedding(maxPositions, size.Width, device: device) : null;
        relative_attention_bias = kind == "relative" ? Embedding(Buckets, size.Heads, device: device) : null;
        _rotary = kind == "rotary" ? RotaryFrequencies.Create((int)(size.Width / size.Heads)) : null;
        _buckets = new RelativeBuckets(Buckets, MaxDistance, bidirectional);
        RegisterComponents();
    }

    public static IReadOnlyList<string> Kinds { get; } = ["sinusoidal", "learned", "rotary", "alibi", "relative", "none"];

    public string Kind { get; }

    /// <summary>Small normal tables.</summary>
    internal void Reset(Generator generator)
    {
        using var still = no_grad();
        table?.weight!.normal_(0, 0.02, generator);
        relative_attention_bias?.weight!.normal_(0, 0.02, generator);
    }

    /// <summary>Adds to the tokens what tells their positions, where the scheme does so.</summary>
    /// <param name="x">[B, T, D].</param>
    /// <param name="positions">[B or 1, T].</param>
    /// <returns>[B, T, D].</returns>
    public Tensor Add(Tensor x, Tensor positions)
    {
        using var scope = NewDisposeScope();
        if (table is not null)
        {
            PositionLimit.Require(positions.max().item<long>() + 1, table.weight!.shape[0]);
            return (x + table.call(positions)).MoveToOuterDisposeScope();
        }
        return (Kind == "sinusoidal" ? x + PositionEncodings.Sinusoidal(positions, _size.Width).to(x.dtype) : x.alias()).MoveToOuterDisposeScope();
    }

    /// <summary>What turns queries and keys; null where the scheme does not.</summary>
    public Rotation? Rotation(Tensor positions, ScalarType dtype) => _rotary?.At(positions, dtype);

    /// <summary>What is added to the scores; null where the scheme adds nothing.</summary>
    /// <param name="past">Position of the first query.</param>
    /// <returns>[1, N, Tq, Tk].</returns>
    public Tensor? Bias(long queries, long keys, long past, ScalarType dtype, Device? device = null)
    {
        using var scope = NewDisposeScope();
        if (Kind == "alibi")
        {
            var slopes = PositionEncodings.Alibi(_size.Heads, queries, keys, past, device);
            if (_buckets.Bidirectional)
                slopes = slopes * (1 + ones_like(slopes).triu(past + 1)); // twice as steep behind the query: equal slopes could not tell a text from its mirror image
            return slopes.to(dtype).unsqueeze(0).MoveToOuterDisposeScope();
        }
        return relative_attention_bias?.call(_buckets.Of(queries, keys, past, device)).permute(2, 0, 1).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>Masks and positions together, for attention among the tokens themselves.</summary>
    /// <param name="x">[B, T, D].</param>
    /// <param name="mask">[B, S], with the past; null when all are tokens.</param>
    internal AttentionCall Attention(Tensor x, Tensor positions, Tensor? mask, long past, bool causal, bool keepWeights)
    {
        var (queries, keys) = (x.shape[1], past + x.shape[1]);
        var (masked, bias) = (AttentionBias.Create(mask, (queries, keys), causal, x.dtype, x.device), Bias(queries, keys, past, x.dtype, x.device));
        return new AttentionCall(masked is null ? bias : bias is null ? masked : masked + bias, Rotation: Rotation(positions, x.dtype), KeepWeights: keepWeights);
    }
}
