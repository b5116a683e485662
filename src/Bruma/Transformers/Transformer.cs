using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>The complete encoder and decoder, without embeddings and output layer; weights of torch.nn.Transformer load.</summary>
/// <remarks>Vaswani et al. 2017, arXiv:1706.03762. As in torch, a final norm closes both halves whether or not the layers begin with theirs.</remarks>
public sealed class Transformer : Module<Tensor, Tensor, Tensor?, Tensor>
{
    private readonly TransformerEncoder encoder;
    private readonly TransformerDecoder decoder;

    /// <exception cref="BrumaException">The plan asks for something that Bruma does not implement.</exception>
    public Transformer(TransformerPlan plan, Device? device = null)
        : base(nameof(Transformer))
    {
        plan.Check(new ConfigCheck(nameof(Transformer)));
        Plan = plan;
        encoder = new TransformerEncoder(plan, device);
        decoder = new TransformerDecoder(plan, device);
        RegisterComponents();
    }

    public TransformerPlan Plan { get; }

    public TransformerEncoder Encoder => encoder;

    public TransformerDecoder Decoder => decoder;

    /// <summary>torch's start: Glorot's bound for every matrix, norms 1.</summary>
    public void Reset(Generator generator) => Reset(this, generator);

    /// <summary>The same for layers of these kinds within another network.</summary>
    internal static void Reset(Module network, Generator generator)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        Initialization.Reset(network, generator);
        foreach (var module in network.modules())
            switch (module)
            {
                case FusedAttention attention:
                    attention.Reset(generator);
                    break;
                case Linear linear:
                    Initialization.Glorot(linear.weight, generator);
                    break;
            }
    }

    /// <param name="source">[B, S, D].</param>
    /// <param name="target">[B, T, D].</param>
    /// <param name="targetBias">Added to the scores among target tokens, such as a causal mask of 0 and -inf, [T, T]; null for none.</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor source, Tensor target, Tensor? targetBias)
    {
        using var scope = NewDisposeScope();
        var memory = encoder.Run(source, default).LastHiddenState;
        return decoder.Run(target, new AttentionCall(targetBias), new AttentionCall(Context: memory)).LastHiddenState.MoveToOuterDisposeScope();
    }
}

/// <summary>Layers and a final norm; checkpoint keys <c>layers.N</c> and <c>norm</c>.</summary>
public sealed class TransformerEncoder : Module
{
    private readonly ModuleList<TransformerEncoderLayer> layers = ModuleList<TransformerEncoderLayer>();
    private readonly LayerNorm norm;

    public TransformerEncoder(TransformerPlan plan, Device? device = null)
        : base(nameof(TransformerEncoder))
    {
        for (var layer = 0; layer < plan.NumEncoderLayers; layer++)
            layers.Add(new TransformerEncoderLayer(plan, device));
        norm = LayerNorm(plan.DModel, plan.LayerNormEps, device: device);
        RegisterComponents();
    }

    /// <summary>Runs within the caller's scope.</summary>
    /// <param name="x">[B, S, D].</param>
    internal TransformerOutput Run(Tensor x, AttentionCall call, KeyValueCache? cache = null)
    {
        var output = LayerStack.Run(layers, x, call, cache);
        return output with { LastHiddenState = norm.call(output.LastHiddenState) };
    }
}

/// <summary>Layers and a final norm; checkpoint keys <c>layers.N</c> and <c>norm</c>.</summary>
public sealed class TransformerDecoder : Module
{
    private readonly ModuleList<TransformerDecoderLayer> layers = ModuleList<TransformerDecoderLayer>();
    private readonly LayerNorm norm;

    public TransformerDecoder(TransformerPlan plan, Device? device = null)
        : base(nameof(TransformerDecoder))
    {
        for (var layer = 0; layer < plan.NumDecoderLayers; layer++)
            layers.Add(new TransformerDecoderLayer(plan, device));
        norm = LayerNorm(plan.DModel, plan.LayerNormEps, device: device);
        RegisterComponents();
    }

    /// <summary>Runs within the caller's scope.</summary>
    /// <param name="x">[B, T, D].</param>
    internal DecoderOutput Run(Tensor x, AttentionCall self, AttentionCall cross, KeyValueCache? cache = null)
    {
        var (attentions, crossAttentions, index) = (new List<Tensor>(), new List<Tensor>(), 0);
        foreach (var layer in layers)
        {
            var result = layer.call(x, new DecoderCall(self with { Cache = cache?.Self(index) }, cross with { Cache = cache?.Cross(index) }));
            x = result.Hidden;
            if (result.Weights is not null)
                attentions.Add(result.Weights);
            if (result.CrossWeights is not null)
                crossAttentions.Add(result.CrossWeights);
            index++;
        }
        return new DecoderOutput(norm.call(x), attentions, crossAttentions);
    }
}
