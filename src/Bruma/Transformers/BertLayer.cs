using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>BERT's embeddings: tokens, positions and which text, normalised.</summary>
public sealed class BertEmbeddings : Module<Tensor, TextPass, Tensor>
{
    private readonly Embedding word_embeddings;
    private readonly Embedding position_embeddings;
    private readonly Embedding token_type_embeddings;
    private readonly LayerNorm LayerNorm;
    private readonly SeededDropout dropout;

    public BertEmbeddings(BertConfig config, Device? device = null)
        : base(nameof(BertEmbeddings))
    {
        word_embeddings = Embedding(config.VocabSize, config.HiddenSize, config.PadTokenId, device: device);
        position_embeddings = Embedding(config.MaxPositionEmbeddings, config.HiddenSize, device: device);
        token_type_embeddings = Embedding(config.TypeVocabSize, config.HiddenSize, device: device);
        LayerNorm = nn.LayerNorm(config.HiddenSize, config.LayerNormEps, device: device);
        dropout = new SeededDropout(config.HiddenDropoutProb);
        RegisterComponents();
    }

    /// <param name="inputIds">[B, T].</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor inputIds, TextPass pass)
    {
        using var scope = NewDisposeScope();
        PositionLimit.Require(inputIds.shape[1], position_embeddings.weight!.shape[0]);
        var positions = pass.Positions ?? arange(inputIds.shape[1], device: inputIds.device).unsqueeze(0);
        var x = word_embeddings.call(inputIds) + token_type_embeddings.call(pass.TypeIds ?? zeros_like(inputIds)) + position_embeddings.call(positions);
        return dropout.call(LayerNorm.call(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention, then feed-forward; the norm is behind each residual.</summary>
public sealed class BertLayer : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly BertAttention attention;
    private readonly ActivatedLinear intermediate;
    private readonly LinearIntoResidual output;

    public BertLayer(BertConfig config, Device? device = null)
        : base(nameof(BertLayer))
    {
        attention = new BertAttention(config, device);
        intermediate = new ActivatedLinear(config.HiddenSize, config.IntermediateSize, config.HiddenAct, device);
        output = new LinearIntoResidual(config.IntermediateSize, config.HiddenSize, config.LayerNormEps, config.HiddenDropoutProb, device);
        RegisterComponents();
    }

    /// <param name="x">[B, T, D].</param>
    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (h, weights) = attention.call(x, call);
        return new AttentionResult(output.call(intermediate.call(h), h), weights).MoveToOuterDisposeScope();
    }
}

/// <summary>Checkpoint keys <c>self</c> and <c>output</c>.</summary>
public sealed class BertAttention : Module<Tensor, AttentionCall, AttentionResult>
{
    private readonly MultiHeadAttention self;
    private readonly LinearIntoResidual output;

    public BertAttention(BertConfig config, Device? device = null)
        : base(nameof(BertAttention))
    {
        self = new MultiHeadAttention(
            new AttentionPlan(config.HiddenSize, config.NumAttentionHeads, Dropout: config.AttentionProbsDropoutProb),
            new ProjectionKeys("query", "key", "value", null),
            device);
        output = new LinearIntoResidual(config.HiddenSize, config.HiddenSize, config.LayerNormEps, config.HiddenDropoutProb, device);
        RegisterComponents();
    }

    public override AttentionResult forward(Tensor x, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        var (mixed, weights) = self.call(x, call);
        return new AttentionResult(output.call(mixed, x), weights).MoveToOuterDisposeScope();
    }
}

/// <summary>A linear layer and an activation; checkpoint key <c>dense</c>.</summary>
public sealed class ActivatedLinear : Module<Tensor, Tensor>
{
    private readonly Linear dense;
    private readonly Func<Tensor, Tensor> _activation;

    public ActivatedLinear(long inputs, long outputs, string activation, Device? device = null)
        : base(nameof(ActivatedLinear))
    {
        dense = Linear(inputs, outputs, device: device);
        _activation = Activation.Named(activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _activation(dense.call(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>A linear layer whose result is added to a residual and normalised; checkpoint keys <c>dense</c> and <c>LayerNorm</c>.</summary>
public sealed class LinearIntoResidual : Module<Tensor, Tensor, Tensor>
{
    private readonly Linear dense;
    private readonly LayerNorm LayerNorm;
    private readonly SeededDropout dropout;

    public LinearIntoResidual(long inputs, long outputs, double eps, double dropoutProbability, Device? device = null)
        : base(nameof(LinearIntoResidual))
    {
        dense = Linear(inputs, outputs, device: device);
        LayerNorm = nn.LayerNorm(outputs, eps, device: device);
        dropout = new SeededDropout(dropoutProbability);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor residual)
    {
        using var scope = NewDisposeScope();
        return LayerNorm.call(dropout.call(dense.call(x)) + residual).MoveToOuterDisposeScope();
    }
}
