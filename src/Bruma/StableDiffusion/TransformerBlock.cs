using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>The transformers of one level.</summary>
/// <param name="Heads">N; the width of the level divided by them is that of a head.</param>
/// <param name="ContextWidth">Of the text's hidden states.</param>
/// <param name="Groups">Of the group norm at the entrance.</param>
/// <param name="IsLinear">Whether it is entered and left by linear layers instead of 1x1 convolutions.</param>
/// <param name="OnlyCross">Whether the first attention looks at the context too.</param>
public sealed record TransformerOptions(long Heads, long ContextWidth, long Groups, bool IsLinear, bool OnlyCross, double Dropout, Device? Device);

/// <summary>Self-attention, attention to the text, feed-forward layer: each with its norm before and its residual after.</summary>
public sealed class TransformerBlock : Module<Tensor, Tensor?, Tensor>, ICheckpointed
{
    private readonly LayerNorm norm1;
    private readonly Attention attn1;
    private readonly LayerNorm norm2;
    private readonly Attention attn2;
    private readonly LayerNorm norm3;
    private readonly GegluFeedForward ff;
    private readonly bool _onlyCross;

    /// <param name="width">D.</param>
    public TransformerBlock(long width, TransformerOptions options)
        : base(nameof(TransformerBlock))
    {
        var (heads, device) = (options.Heads, options.Device);
        _onlyCross = options.OnlyCross;
        norm1 = LayerNorm(width, device: device);
        attn1 = new Attention(width, _onlyCross ? options.ContextWidth : width, heads, width / heads, bias: false, device);
        norm2 = LayerNorm(width, device: device);
        attn2 = new Attention(width, options.ContextWidth, heads, width / heads, bias: false, device);
        norm3 = LayerNorm(width, device: device);
        ff = new GegluFeedForward(width, 4 * width, options.Dropout, device);
        RegisterComponents();
    }

    /// <summary>Whether intermediate results are computed again for the gradients instead of being kept.</summary>
    public bool IsCheckpointed { get; set; }

    /// <param name="x">Tokens, [B, T, D].</param>
    /// <param name="context">Text, [B, S, C].</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor x, Tensor? context)
    {
        if (!IsCheckpointed)
            return Compute(x, x, context, context);
        return Checkpoint.Run(inputs => Compute(inputs[0]!, inputs[1]!, inputs[3], inputs[2]), ff.Random, x, x, context, context);
    }

    /// <param name="x">What the first residual carries.</param>
    /// <param name="normed">The same tokens on their way through the norm.</param>
    /// <param name="keys">The context as keys see it, and as values do: the same.</param>
    private Tensor Compute(Tensor x, Tensor normed, Tensor? keys, Tensor? values)
    {
        using var scope = NewDisposeScope();
        x = attn1.Mix(FastLayerNorm.Of(normed, norm1), _onlyCross ? keys : null, _onlyCross ? values : null, x);
        x = attn2.Mix(FastLayerNorm.Of(x, norm2), keys, values, x);
        return ff.Add(FastLayerNorm.Of(x, norm3), x).MoveToOuterDisposeScope();
    }
}

/// <summary>A gated linear layer with GELU on the gate, dropout, a linear layer; checkpoint keys <c>net.0.proj</c> and <c>net.2</c>.</summary>
/// <remarks>Shazeer 2020, arXiv:2002.05202, GEGLU.</remarks>
public sealed class GegluFeedForward : Module<Tensor, Tensor>
{
    private const long RowsAtOnce = 1024;

    private readonly Sequential net;
    private readonly SeededDropout _dropout;
    private readonly (GegluLayer Gate, Linear Out) _layers;

    public GegluFeedForward(long width, long innerWidth, double dropout = 0, Device? device = null)
        : base(nameof(GegluFeedForward))
    {
        _dropout = new SeededDropout(dropout);
        _layers = (new GegluLayer(width, innerWidth, device), Linear(innerWidth, width, device: device));
        net = Sequential(("0", _layers.Gate), ("1", _dropout), ("2", _layers.Out));
        RegisterComponents();
    }

    /// <summary>Whence the dropout draws.</summary>
    internal Generator? Random => _dropout.Generator;

    /// <param name="x">[B, T, D].</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor x) => net.call(x);

    /// <summary>The same, added to a residual; at inference some rows after the other, so that what lies between the layers stays in the cache.</summary>
    /// <param name="residual">[B, T, D].</param>
    /// <returns>[B, T, D].</returns>
    internal Tensor Add(Tensor x, Tensor residual)
    {
        using var scope = NewDisposeScope();
        if (!PackedOperators.Take(x) || training)
            return (call(x) + residual).MoveToOuterDisposeScope();
        var (rows, added) = (x.reshape(-1, x.shape[^1]), residual.reshape(-1, x.shape[^1]));
        var result = empty(rows.shape, x.dtype);
        for (var start = 0L; start < rows.shape[0]; start += RowsAtOnce)
        {
            using var part = NewDisposeScope();
            var count = Math.Min(RowsAtOnce, rows.shape[0] - start);
            result.narrow(0, start, count).copy_(FastLinear.Run(_layers.Out, _layers.Gate.call(rows.narrow(0, start, count)), added.narrow(0, start, count)));
        }
        return result.view(x.shape).MoveToOuterDisposeScope();
    }
}

/// <summary>a GELU(g), where a and g are the halves of one linear layer's output.</summary>
public sealed class GegluLayer : Module<Tensor, Tensor>
{
    private readonly Linear proj;

    public GegluLayer(long width, long innerWidth, Device? device = null)
        : base(nameof(GegluLayer))
    {
        proj = Linear(width, 2 * innerWidth, device: device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return GatedGelu.Of(FastLinear.Run(proj, x)).MoveToOuterDisposeScope();
    }
}
