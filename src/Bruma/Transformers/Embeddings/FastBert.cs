using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Transformers.Embeddings;

/// <summary>A BERT for inference alone: the numbers of <see cref="BertModel"/> with fewer passes over memory.</summary>
/// <remarks>Query, key and value are one product, with the scale of the scores in the weights. In fp32 products run as convolutions of width 1, which
/// are twice as fast as matrix products where these go through a library that does not know the processor. It copies the weights: later changes do not show.</remarks>
public sealed class FastBert : IDisposable
{
    private const int Pictures = 16; // libtorch gives convolutions of width 1 with one thread to oneDNN from 16 pictures on
    private const int FewRows = 256; // below, a product is as fast

    private readonly List<Tensor> _owned = [];
    private readonly Tensor _words, _positions, _types;
    private readonly Norm _norm;
    private readonly Layer[] _layers;
    private readonly Func<Tensor, Tensor> _activation;
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
            return _owned[^1];
        }
        Norm NormOf(string name) => new(Own(weights[$"{name}.weight"].alias()), Own(weights[$"{name}.bias"].alias()));
        Product ProductOf(string name) => new(Own(weights[$"{name}.weight"].alias()), Own(weights[$"{name}.bias"].alias()));

        (_epsilon, _heads, _activation) = (network.Config.LayerNormEps, network.Config.NumAttentionHeads, Activation.Named(network.Config.HiddenAct));
        _words = Own(weights["embeddings.word_embeddings.weight"].alias());
        _positions = Own(weights["embeddings.position_embeddings.weight"].alias());
        _types = Own(weights["embeddings.token_type_embeddings.weight"].alias());
        _norm = NormOf("embeddings.LayerNorm");
        var scale = 1 / Math.Sqrt((double)network.Config.HiddenSize / _heads);
        _layers = [.. Enumerable.Range(0, network.Config.NumHiddenLayers).Select(i =>
        {
            var (self, layer) = ($"encoder.layer.{i}.attention.self", $"encoder.layer.{i}");
            Tensor Joined(string kind) => Own(cat([weights[$"{self}.query.{kind}"] * scale, weights[$"{self}.key.{kind}"], weights[$"{self}.value.{kind}"]]));
            return new Layer(new Product(Joined("weight"), Joined("bias")), ProductOf($"{layer}.attention.output.dense"), NormOf($"{layer}.attention.output.LayerNorm"),
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
        foreach (var tensor in _owned)
            tensor.Dispose();
        _owned.Clear();
    }

    private Tensor Step(Tensor x, Layer layer, Tensor? bias, (long Batch, long Tokens) size)
    {
        using var scope = NewDisposeScope();
        var parts = Multiply(x, layer.Joined).view(size.Batch, size.Tokens, 3, _heads, -1).permute(2, 0, 3, 1, 4).unbind(0); // [B, N, T, d] each
        var scores = matmul(parts[0], parts[1].transpose(-1, -2));
        if (bias is not null)
            scores.add_(bias);
        var mixed = AttentionProduct.JoinHeads(matmul(scores.softmax(-1), parts[2])).view(x.shape[0], -1);
        var h = Normalize(Multiply(mixed, layer.Output).add_(x), layer.FirstNorm);
        return Normalize(Multiply(_activation(Multiply(h, layer.Up)), layer.Down).add_(h), layer.SecondNorm).MoveToOuterDisposeScope();
    }

    private Tensor Normalize(Tensor x, Norm norm) => nn.functional.layer_norm(x, [x.shape[^1]], norm.Weight, norm.Bias, _epsilon);

    /// <param name="x">[rows, in], contiguous.</param>
    private static Tensor Multiply(Tensor x, Product product)
    {
        if (x.dtype != ScalarType.Float32 || x.shape[0] < FewRows || x.shape[0] % Pictures != 0)
            return nn.functional.linear(x, product.Weight, product.Bias);
        using var scope = NewDisposeScope();
        var pictures = x.view(Pictures, -1, 1, x.shape[1]).permute(0, 3, 1, 2); // [16, in, rows / 16, 1], channels last: no copy
        var result = nn.functional.conv2d(pictures, product.Weight.view(product.Weight.shape[0], -1, 1, 1), product.Bias);
        return result.permute(0, 2, 3, 1).reshape(x.shape[0], -1).MoveToOuterDisposeScope();
    }

    private sealed record Norm(Tensor Weight, Tensor Bias);

    private sealed record Product(Tensor Weight, Tensor Bias);

    private sealed record Layer(Product Joined, Product Output, Norm FirstNorm, Product Up, Product Down, Norm SecondNorm);
}
