using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>A linear layer whose weight is stored as [inputs, outputs]: GPT-2's "Conv1D".</summary>
public sealed class TransposedLinear : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;

    public TransposedLinear(long inputs, long outputs, Device? device = null)
        : base(nameof(TransposedLinear))
    {
        weight = Parameter(zeros(inputs, outputs, device: device));
        bias = Parameter(zeros(outputs, device: device));
        RegisterComponents();
    }

    /// <summary>Normal weights, bias 0.</summary>
    internal void Reset(double deviation, Generator generator)
    {
        weight.normal_(0, deviation, generator);
        bias.zero_();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return functional.linear(x, weight.t(), bias).MoveToOuterDisposeScope();
    }
}

/// <summary>GPT-2's attention; checkpoint keys <c>c_attn</c> (query, key and value) and <c>c_proj</c>.</summary>
public sealed class Gpt2Attention : HeadedAttention
{
    private readonly TransposedLinear c_attn;
    private readonly TransposedLinear c_proj;

    public Gpt2Attention(Gpt2Config config, int layer, Device? device = null)
        : base(nameof(Gpt2Attention), Plan(config, layer))
    {
        c_attn = new TransposedLinear(config.NEmbd, 3 * config.NEmbd, device);
        c_proj = new TransposedLinear(config.NEmbd, config.NEmbd, device);
        RegisterComponents();
    }

    protected override (Tensor Query, Tensor Key, Tensor Value) Project(Tensor x, Tensor? context)
    {
        if (context is not null)
            throw new InvalidOperationException("GPT-2 attends to its own tokens only");
        var parts = c_attn.call(x).chunk(3, -1);
        return (parts[0], parts[1], parts[2]);
    }

    protected override Tensor ProjectQuery(Tensor x) => c_attn.call(x).chunk(3, -1)[0];

    protected override Tensor ProjectOutput(Tensor mixed) => c_proj.call(mixed);

    private static AttentionPlan Plan(Gpt2Config config, int layer) => new(
        config.NEmbd,
        config.NHead,
        Scale: (config.ScaleAttnWeights ? 1 / Math.Sqrt((double)config.NEmbd / config.NHead) : 1) / (config.ScaleAttnByInverseLayerIdx ? layer + 1 : 1),
        Dropout: config.AttnPdrop);
}

/// <summary>GPT-2's feed-forward layers; checkpoint keys <c>c_fc</c> and <c>c_proj</c>.</summary>
public sealed class Gpt2FeedForward : Module<Tensor, Tensor>
{
    private readonly TransposedLinear c_fc;
    private readonly TransposedLinear c_proj;
    private readonly Func<Tensor, Tensor> _activation;

    public Gpt2FeedForward(Gpt2Config config, Device? device = null)
        : base(nameof(Gpt2FeedForward))
    {
        c_fc = new TransposedLinear(config.NEmbd, config.Inner, device);
        c_proj = new TransposedLinear(config.Inner, config.NEmbd, device);
        _activation = Activation.Named(config.ActivationFunction);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return c_proj.call(_activation(c_fc.call(x))).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention and feed-forward, each behind a norm and within a residual.</summary>
public sealed class Gpt2Block : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly LayerNorm ln_1;
    private readonly Gpt2Attention attn;
    private readonly LayerNorm ln_2;
    private readonly Gpt2FeedForward mlp;
    private readonly SeededDropout dropout;

    public Gpt2Block(Gpt2Config config, int layer, Device? device = null)
        : base(nameof(Gpt2Block))
    {
        ln_1 = LayerNorm(config.NEmbd, config.LayerNormEpsilon, device: device);
        attn = new Gpt2Attention(config, layer, device);
        ln_2 = LayerNorm(config.NEmbd, config.LayerNormEpsilon, device: device);
        mlp = new Gpt2FeedForward(config, device);
        dropout = new SeededDropout(config.ResidPdrop);
        RegisterComponents();
    }

    /// <param name="x">[B, T, D].</param>
    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = attn.call(ln_1.call(x), call);
        var h = x + dropout.call(mixed);
        h = h + dropout.call(mlp.call(ln_2.call(h)));
        return new AttentionResult(h, weights).MoveToOuterDisposeScope();
    }
}
