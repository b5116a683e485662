using Bruma.Nn;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Nn;

/// <summary>Attention at inference, block by block, against the plain operators.</summary>
public sealed class AttentionTests
{
    [Theory]
    [InlineData(1, 1030, 1030, 2, 40)]
    [InlineData(2, 900, 1201, 1, 33)]
    [InlineData(1, 2300, 77, 8, 16)]
    [InlineData(1, 700, 1000, 3, 7)]
    public void Blocks_agree_with_the_plain_form(int batch, int queries, int keys, int heads, int width)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var random = new Generator((ulong)width, CPU);
        Tensor Draw(long tokens) => randn([batch, tokens, heads * width], generator: random) * 1.5;
        var (q, k, v) = (Draw(queries), Draw(keys), Draw(keys));
        var expected = AttentionProduct.JoinHeads(AttentionProduct.Plain(AttentionProduct.SplitHeads(q, heads), AttentionProduct.SplitHeads(k, heads), AttentionProduct.SplitHeads(v, heads)));
        Assert.True(AttentionProduct.Attend(q, k, v, heads).allclose(expected, rtol: 1e-4, atol: 1e-5));

        var coarse = AttentionProduct.Attend(q.to(bfloat16), k.to(bfloat16), v.to(bfloat16), heads).to(float32);
        Assert.True((coarse - expected).norm().item<float>() < 0.02 * expected.norm().item<float>());
    }

    [Fact]
    public void Large_scores_stay_finite_and_pick_the_largest()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (q, k) = (full([1, 1100, 8], 60f), full([1, 1100, 8], -60f));
        k[0, 5] = full([8], 60f);
        var v = arange(1100, float32).view(1, 1100, 1).expand(1, 1100, 8).contiguous();
        foreach (var type in new[] { float32, bfloat16 })
            Assert.Equal(5f, AttentionProduct.Attend(q.to(type), k.to(type), v.to(type), 1).to(float32).max().item<float>());
    }

    [Fact]
    public void Among_places_with_gradients_the_result_lies_as_its_input_does()
    {
        using var scope = NewDisposeScope();
        using var attention = new SpatialAttention(8, 4, 2, 1e-5);
        var x = randn([2, 8, 3, 5], generator: new Generator(1, CPU));
        Assert.Equal(x.stride(), attention.call(x).stride()); // what comes after it has kernels for this order alone
    }

    [Fact]
    public void Blocks_leave_only_their_result()
    {
        using var scope = NewDisposeScope();
        var x = randn(1, 1100, 32);
        Leaks.None(() =>
        {
            using var y = AttentionProduct.Attend(x, x, x, 2);
            Assert.Equal(x.shape, y.shape);
        });
    }
}
