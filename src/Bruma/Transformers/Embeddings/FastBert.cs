using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Transformers.Embeddings;

/// <summary>A BERT for inference alone: the numbers of <see cref="BertModel"/> with fewer passes over memory.</summary>
/// <remarks>Query, key and value are one product, with the scale of the scores in the weights; weights are packed, and GELU and residuals are part of the
/// products. It copies the weights: later changes do not show.</remarks>
public sealed class FastBert : IDisposable
{
    private const int Rows = 2048; // tokens that are usually computed at once

    private readonly List<IDisposable> _owned = [];
    private readonly Tensor _words, _positions, _types;
    private readonly Norm _norm;
    private readonly Layer[] _layers;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly bool _isGelu;
    private readonly double _epsilon;
    private readonly long _heads;

    /// <param name="network">Is only read.</param>
    public FastBert(BertModel network)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var weights = network.state_dict();
        Tensor Own(Tensor tensor)
        {
            _owned.Add(tensor.contiguous().DetachFromDisposeScope());
            return (Tensor)_owned[^1];
        }
        PackedLinear Packed(Tensor weight, Tensor bias)
        {
            _owned.Add(new PackedLinear(weight, bias, Rows));
            return (PackedLinear)_owned[^1];
        }
        Norm NormOf(string name) => new(Own(weights[$"{name}.weight"].alias()), Own(weights[$"{name}.bias"].alias()));
        PackedLinear ProductOf(string name) => Packed(weights[$"{name}.weight"], weights[$"{name}.bias"]);

        (_epsilon, _heads, _activation) = (network.Config.LayerNormEps, network.Config.NumAttentionHeads, Activation.Named(network.Config.HiddenAct));
        _isGelu = network.Config.HiddenAct == "gelu";
        _words = Own(weights["embeddings.word_embeddings.weight"].alias());
        _positions = Own(weights["embeddings.position_embeddings.weight"].alias());
        _types = Own(weights["embeddings.token_type_embeddings.weight"].alias());
        _norm = NormOf("embeddings.LayerNorm");
        var scale = ShortAttention.Log2E / Math.Sqrt((double)network.Config.HiddenSize / _heads);
        _layers = [.. Enumerable.Range(0, network.Config.NumHiddenLayers).Select(i =>
        {
            var (self, layer) = ($"encoder.layer.{i}.attention.self", $"encoder.layer.{i}");
            Tensor Joined(string kind) => cat([weights[$"{self}.query.{kind}"] * scale, weights[$"{self}.key.{kind}"], weights[$"{self}.value.{kind}"]]);
            return new Layer(Packed(Joined("weight"), Joined("bias")), ProductOf($"{layer}.attention.output.dense"), NormOf($"{layer}.attention.output.LayerNorm"),
                ProductOf($"{layer}.intermediate.dense"), ProductOf($"{layer}.output.dense"), NormOf($"{layer}.output.LayerNorm"));
        })];
    }

    /// <param name="ids">[B, T].</param>
    /// <param name="mask">1 for tokens, 0 for padding, [B, T]; null when nothing is padding.</param>
    /// <param name="typeIds">[B, T]; null for all 0.</param>
    /// <returns>The last layer's states, [B, T, D].</returns>
    public Tensor Run(Tensor ids, Tensor? mask, Tensor? typeIds)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        PositionLimit.Require(ids.shape[1], _positions.shape[0]);
        var (batch, tokens, width) = (ids.shape[0], ids.shape[1], _words.shape[1]);
        var x = _words.index_select(0, ids.flatten()).view(batch, tokens, width);
        x.add_(_positions.narrow(0, 0, tokens));
        x.add_(typeIds is null ? _types[0] : _types.index_select(0, typeIds.flatten()).view(batch, tokens, width));
        x = Normalize(x.view(-1, width), _norm);
        var bias = AttentionBias.Create(mask, (tokens, tokens), causal: false, x.dtype, x.device);
        foreach (var layer in _layers)
            x = Step(x, layer, bias, (batch, tokens));
        return x.view(batch, tokens, width).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var part in _owned)
            part.Dispose();
        _owned.Clear();
    }

    private Tensor Step(Tensor x, Layer layer, Tensor? mask, (long Batch, long Tokens) size)
    {
        using var scope = NewDisposeScope();
        var parts = layer.Joined.Run(x).view(size.Batch, size.Tokens, 3, _heads, -1).permute(2, 0, 3, 1, 4).unbind(0); // [B, N, T, d] each
        var mixed = ShortAttention.Run(parts[0], parts[1], parts[2], mask).view(x.shape[0], -1);
        var h = Normalize(layer.Output.Run(mixed, x), layer.FirstNorm);
        var inner = _isGelu ? layer.Up.RunGelu(h) : _activation(layer.Up.Run(h));
        return Normalize(layer.Down.Run(inner, h), layer.SecondNorm).MoveToOuterDisposeScope();
    }

    private Tensor Normalize(Tensor x, Norm norm) => FastLayerNorm.Of(x, norm.Weight, norm.Bias, _epsilon);

    private sealed record Norm(Tensor Weight, Tensor Bias);

    private sealed record Layer(PackedLinear Joined, PackedLinear Output, Norm FirstNorm, PackedLinear Up, PackedLinear Down, Norm SecondNorm);
}
