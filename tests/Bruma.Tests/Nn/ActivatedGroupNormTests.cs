using Bruma.Nn;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Nn;

/// <summary>The fused pass against libtorch's group norm and SiLU.</summary>
public sealed class ActivatedGroupNormTests
{
    [Theory]
    [InlineData(1, 4, 4, 3, 5, true)]
    [InlineData(3, 8, 2, 7, 9, false)]
    [InlineData(2, 6, 3, 1, 1, true)]
    [InlineData(5, 32, 32, 28, 28, true)]
    [InlineData(2, 20, 4, 16, 17, false)]
    public void Forward_and_gradients_agree_with_the_plain_operators(int batch, int channels, int groups, int height, int width, bool shifted)
    {
        using var scope = NewDisposeScope();
        var random = new Generator((ulong)channels, CPU);
        Tensor Draw(params long[] shape) => randn(shape, generator: random);
        using var norm = new ActivatedGroupNorm(groups, channels, 1e-5);
        using (no_grad())
        {
            norm.get_parameter("weight")!.copy_(Draw(channels));
            norm.get_parameter("bias")!.copy_(Draw(channels));
        }
        var (x, shift, dy) = (Draw(batch, channels, height, width) * 2 + 1, shifted ? Draw(batch, channels) : null, Draw(batch, channels, height, width));

        var fused = Run(x, shift, (a, b) => norm.call(a, b), norm, dy);
        var plain = Run(x, shift, (a, b) => nn.functional.silu(norm.Norm(b is null ? a : a + b.unsqueeze(-1).unsqueeze(-1))), norm, dy);
        foreach (var (mine, reference) in fused.Zip(plain))
            Assert.True(mine.allclose(reference, rtol: 1e-4, atol: 2e-5), $"{(mine - reference).abs().max().item<float>()}");

        using var half = norm.to(bfloat16);
        var coarse = Run(x.to(bfloat16), shift?.to(bfloat16), (a, b) => norm.call(a, b), norm, dy.to(bfloat16));
        foreach (var (mine, reference) in coarse.Zip(plain))
            Assert.True((mine.to(float32) - reference).norm().item<float>() <= 0.02 * reference.norm().item<float>() + 1e-3);
    }

    [Fact]
    public void Large_values_stay_finite()
    {
        using var scope = NewDisposeScope();
        using var norm = new ActivatedGroupNorm(1, 1, 1e-5);
        using (no_grad())
            norm.get_parameter("weight")!.fill_(1000);
        var x = tensor(new[] { -1e4f, 1e4f, 0, 3, -3, 1e-3f, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25 }).reshape(1, 1, 1, 17).requires_grad_(true);
        var y = norm.call(x, null);
        y.sum().backward();
        Assert.True(y.isfinite().all().item<bool>() && x.grad!.isfinite().all().item<bool>());
    }

    [Fact]
    public void In_training_channels_that_lie_last_stay_last_and_have_the_same_gradients()
    {
        using var scope = NewDisposeScope();
        using var norm = new ActivatedGroupNorm(4, 8, 1e-5);
        using var random = new Generator(5, CPU);
        var (x, dy) = (randn([2, 8, 5, 6], generator: random), randn([2, 8, 5, 6], generator: random));
        var plain = Run(x, null, (a, b) => norm.call(a, b), norm, dy);
        var last = Run(ChannelsLast.Laid(x), null, (a, b) => norm.call(a, b), norm, dy);
        Assert.True(ChannelsLast.Lies(last[0]));
        Assert.False(ChannelsLast.Lies(plain[0]));
        foreach (var (mine, reference) in last.Zip(plain))
            Assert.True(mine.allclose(reference, rtol: 1e-4, atol: 2e-5), $"{(mine - reference).abs().max().item<float>()}");
    }

    [Fact]
    public void Passes_leave_nothing_behind()
    {
        using var scope = NewDisposeScope();
        using var norm = new ActivatedGroupNorm(2, 4, 1e-5);
        var (x, shift) = (randn(2, 4, 5, 5), randn(2, 4));
        Pass();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 5; i++)
            Pass();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Pass()
        {
            using var y = norm.call(x, shift);
            using var sum = y.sum();
            sum.backward();
        }
    }

    private static Tensor[] Run(Tensor x, Tensor? shift, Func<Tensor, Tensor?, Tensor> function, ActivatedGroupNorm norm, Tensor dy)
    {
        foreach (var parameter in norm.parameters())
            parameter.grad = null;
        var (a, b) = (x.detach().clone().requires_grad_(true), shift?.detach().clone().requires_grad_(true));
        var y = function(a, b);
        y.backward([dy]);
        return [y.detach(), a.grad!, .. b is null ? Array.Empty<Tensor>() : [b.grad!], .. norm.parameters().Select(parameter => parameter.grad!.clone())];
    }
}
