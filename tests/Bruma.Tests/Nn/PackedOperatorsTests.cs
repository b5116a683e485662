using Bruma.Nn;
using Bruma.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Nn;

/// <summary>Operators for inference against the plain ones, which they replace.</summary>
public sealed class PackedOperatorsTests
{
    [Theory]
    [InlineData(1, 5, 7)]
    [InlineData(33, 48, 20)]
    [InlineData(256, 64, 192)]
    public void Products_agree_with_the_plain_layer(int rows, int inputs, int outputs)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (x, w, b, added) = (randn(rows, inputs), randn(outputs, inputs) / Math.Sqrt(inputs), randn(outputs), randn(rows, outputs));
        foreach (var type in new[] { float32, bfloat16 })
        {
            var (values, addition) = (x.to(type), added.to(type));
            using var packed = new PackedLinear(w.to(type), b.to(type), rows);
            using var bare = new PackedLinear(w.to(type), null, 8);
            var plain = nn.functional.linear(values, w.to(type), b.to(type));
            Near(plain, packed.Run(values));
            Near(plain + addition, packed.Run(values, addition));
            Near(nn.functional.gelu(plain), packed.RunGelu(values));
            Near(nn.functional.linear(values, w.to(type)), bare.Run(values));
        }
    }

    [Theory]
    [InlineData(16, 32, 3, 1, 1)]
    [InlineData(48, 16, 3, 2, 1)]
    [InlineData(32, 32, 1, 1, 0)]
    public void Packed_convolutions_agree_and_unpack_to_the_bit(int inputs, int outputs, int kernel, int stride, int padding)
    {
        if (!PackedOperators.AreAvailable)
            return;
        using var scope = NewDisposeScope();
        using var still = no_grad();
        foreach (var type in new[] { float32, bfloat16 }.Where(type => PackedOperators.Take(zeros(1, type)))) // bf16 needs AVX-512
        {
            var (x, w, b) = (randn(2, inputs, 9, 7).to(type), (randn(outputs, inputs, kernel, kernel) / Math.Sqrt(inputs * kernel * kernel)).to(type), randn(outputs).to(type));
            var packed = PackedOperators.PackConvolution(w, stride, padding, x.shape);
            var plain = nn.functional.conv2d(x, w, b, [stride, stride], [padding, padding]);
            var last = PackedOperators.ChannelsLast(x);
            Near(plain, PackedOperators.Convolve(last, packed, b, stride, padding));
            Near(plain + plain, PackedOperators.Convolve(last, packed, b, stride, padding, PackedOperators.ChannelsLast(plain)));
            Assert.True(PackedOperators.UnpackConvolution(packed).eq(w).all().item<bool>());
        }
    }

    [Fact]
    public void A_layer_packs_at_inference_and_gives_its_weights_back()
    {
        if (!PackedOperators.AreAvailable)
            return;
        using var scope = NewDisposeScope();
        using var layer = nn.Conv2d(256, 64, 3, padding: 1L);
        using var network = nn.Sequential(("c", layer));
        var (x, before) = (randn(1, 256, 4, 4), layer.weight.detach().clone());
        var plain = layer.call(x).detach();
        FastConvolution.Allow(network);
        using (no_grad())
        {
            Near(plain, FastConvolution.Run(layer, ChannelsLast.Of(x)));
            Assert.Equal(DeviceType.META, layer.weight.device.type); // the packed weight is the only one
            FastConvolution.Restore(network);
            Assert.True(layer.weight.eq(before).all().item<bool>());
            layer.weight.mul_(2);
            Near(2 * (plain - layer.bias!.view(1, -1, 1, 1)), FastConvolution.Run(layer, ChannelsLast.Of(x)) - layer.bias!.view(1, -1, 1, 1));
        }
        Near(2 * (plain - layer.bias!.view(1, -1, 1, 1)), FastConvolution.Run(layer, x).detach() - layer.bias!.view(1, -1, 1, 1)); // with gradients: plain again
        FastConvolution.Forget(network);
    }

    [Theory]
    [InlineData(64, 8, true)]
    [InlineData(20, 4, false)]
    [InlineData(48, 16, true)]
    public void Norms_of_channels_last_agree_with_the_plain_operators(int channels, int groups, bool shifted)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var norm = new ActivatedGroupNorm(groups, channels, 1e-5);
        norm.get_parameter("weight")!.copy_(randn(channels));
        norm.get_parameter("bias")!.copy_(randn(channels));
        var (x, shift) = (randn(2, channels, 13, 11) * 2 + 5, shifted ? randn(2, channels) : null);
        var plain = nn.functional.silu(norm.Norm(shift is null ? x : x + shift.view(2, -1, 1, 1)));
        Near(plain, norm.call(ChannelsLast.Of(x), shift));
        var last = ChannelsLast.Of(x.to(bfloat16));
        using var half = norm.to(bfloat16);
        Assert.True((half.call(last, shift?.to(bfloat16)).to(float32) - plain).abs().max().item<float>() < 0.1);
    }

    [Fact]
    public void Layer_norms_agree_with_the_plain_operator()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        foreach (var width in new[] { 16, 96, 23 })
            foreach (var type in new[] { float32, bfloat16 })
            {
                var (x, w, b) = ((randn(3, 5, width) + 2).to(type), randn(width).to(type), randn(width).to(type));
                Near(nn.functional.layer_norm(x, [width], w, b, 1e-5), FastLayerNorm.Of(x, w, b, 1e-5));
            }
    }

    [Fact]
    public void Short_attention_agrees_with_the_plain_form_under_a_mask()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (q, k, v) = (randn(2, 3, 9, 16), randn(2, 3, 9, 16), randn(2, 3, 9, 16));
        var mask = zeros(2, 1, 1, 9);
        mask[1, 0, 0, 5..] = finfo(float32).min;
        var plain = AttentionProduct.JoinHeads(AttentionProduct.Weighted(q, k, v, mask, 0.25).Mixed);
        Near(plain, ShortAttention.Run(q * (0.25 * ShortAttention.Log2E), k, v, mask));
        var half = ShortAttention.Run((q * (0.25 * ShortAttention.Log2E)).to(bfloat16), k.to(bfloat16), v.to(bfloat16), null);
        Assert.True((half.to(float32) - AttentionProduct.JoinHeads(AttentionProduct.Plain(q, k, v))).abs().max().item<float>() < 0.05);
    }

    [Fact]
    public void They_leave_only_their_results()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var norm = new ActivatedGroupNorm(2, 32, 1e-5);
        var (x, rows) = (ChannelsLast.Of(randn(1, 32, 4, 4)), randn(16, 32));
        using var linear = new PackedLinear(randn(16, 32), randn(16), 16);
        var (w, heads) = (randn(16, 32, 3, 3), randn(1, 2, 8, 16));
        Leaks.None(() =>
        {
            using var a = norm.call(x, null);
            using var b = linear.Run(rows);
            using var c = linear.RunGelu(rows);
            using var d = FastLayerNorm.Of(rows, null, null, 1e-5);
            using var e = ShortAttention.Run(heads, heads, heads, null);
            using var f = PackedOperators.AreAvailable ? PackedOperators.PackConvolution(w, 1, 1, x.shape) : null;
            using var g = f is null ? null : PackedOperators.Convolve(x, f, null, 1, 1);
        });
    }

    private static void Near(Tensor expected, Tensor actual)
    {
        var tolerance = expected.dtype == bfloat16 ? 0.02f : 2e-5f;
        Assert.Equal(expected.shape, actual.shape);
        var error = (expected.to(float32) - actual.to(float32)).abs().max().item<float>();
        Assert.True(error <= tolerance * Math.Max(1, expected.abs().max().to(float32).item<float>()), $"{error}");
    }
}
