using Bruma.Diffusion;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Diffusion;

/// <summary>Halving of maps so small that most taps of the convolution meet padding only.</summary>
public sealed class Downsample2DTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 6)]
    [InlineData(5, 1)]
    [InlineData(2, 2)]
    public void Gradients_in_bf16_on_used_memory_agree_with_double_precision(int height, int width)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        using var layer = new Downsample2D(16, padding: 1);
        var x = randn([4, 16, height, width], generator: generator);
        var expected = Gradients(layer, x, ScalarType.Float64);
        for (var round = 0; round < 5; round++)
        {
            using (full([16 * 16 * 9], float.NaN))
            using (full([16 * 16 * 9], float.NaN, bfloat16))
            {
                // what the next buffers contain
            }
            foreach (var (actual, value) in Gradients(layer, x, ScalarType.BFloat16).Zip(expected))
                Assert.True((actual - value).abs().max().item<double>() <= 0.03 * value.abs().max().item<double>());
        }
    }

    /// <summary>Result and gradients of half the sum of its squares.</summary>
    private static Tensor[] Gradients(Downsample2D layer, Tensor x, ScalarType type)
    {
        layer.to(type);
        layer.zero_grad();
        var input = x.to(type).clone().requires_grad_(true);
        var result = layer.call(input);
        result.backward([result.detach()]);
        return [result.detach().to(float64), input.grad!.to(float64), .. layer.parameters().Select(parameter => parameter.grad!.to(float64).clone())];
    }
}
