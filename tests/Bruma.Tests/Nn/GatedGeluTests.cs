using Bruma.Nn;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Nn;

/// <summary>The fused gate against the plain operators.</summary>
public sealed class GatedGeluTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 16)]
    [InlineData(3, 37)]
    [InlineData(40, 1280)]
    public void The_fused_pass_agrees_with_the_plain_operators(int rows, int width)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var x = randn([2, rows, 2 * width], generator: new Generator((ulong)width, CPU)) * 3;
        Assert.True(GatedGelu.Of(x).allclose(GatedGelu.Plain(x), rtol: 1e-5, atol: 1e-6));
        var half = x.to(bfloat16);
        Assert.True(GatedGelu.Of(half).to(float32).allclose(GatedGelu.Plain(half.to(float32)), rtol: 0.02, atol: 1e-3));
    }

    [Fact]
    public void Extreme_gates_are_zero_or_pass()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var x = tensor(new[] { 2f, 2f, 2f, 2f, -1e4f, -50f, 50f, 0f }).view(1, 8);
        Assert.Equal([0f, 0f, 100f, 0f], GatedGelu.Of(x).round().abs().data<float>().ToArray());
    }

    [Fact]
    public void Gradients_go_through_the_plain_operators()
    {
        using var scope = NewDisposeScope();
        var x = randn(3, 8).requires_grad_(true);
        GatedGelu.Of(x).sum().backward();
        Assert.True(x.grad!.isfinite().all().item<bool>());
    }

    [Fact]
    public void It_leaves_only_its_result()
    {
        using var scope = NewDisposeScope();
        var x = randn(4, 64);
        Leaks.None(() =>
        {
            using var y = GatedGelu.Of(x);
            Assert.Equal([4, 32], y.shape);
        });
    }
}
