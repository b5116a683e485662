using static TorchSharp.torch;

namespace Bruma.Tests.Nn;

/// <summary>Convolutions of odd channel counts on memory that was used before: wrong on processors that hide their cache sizes, unless corrected.</summary>
public sealed class ConvolutionTests
{
    [Theory]
    [InlineData(1, 32)]
    [InlineData(32, 1)]
    [InlineData(3, 32)]
    [InlineData(24, 16)]
    [InlineData(40, 24)]
    public void Forward_and_backward_agree_with_double_precision(int channels, int outputs)
    {
        Assert.Equal(HiddenCacheSizes.Affected, HiddenCacheSizes.Corrected);
        using var scope = NewDisposeScope();
        using var generator = new Generator(0, CPU);
        var x = randn([4, channels, 8, 8], generator: generator);
        var weight = randn([outputs, channels, 3, 3], generator: generator);
        var expected = Convolve(x, weight, ScalarType.Float64);
        for (var round = 0; round < 3; round++)
        {
            using (full([outputs * 16 * 16 * 9], float.NaN))
            {
                // what the next buffers contain
            }
            foreach (var (type, tolerance) in new[] { (ScalarType.Float32, 1e-4), (ScalarType.BFloat16, 0.03) })
                foreach (var (actual, value) in Convolve(x, weight, type).Zip(expected))
                    Assert.True((actual - value).abs().max().item<double>() < tolerance * value.abs().max().item<double>(), $"{type}, {channels} to {outputs}");
        }
    }

    /// <summary>Result and gradients of a sum of squares.</summary>
    private static Tensor[] Convolve(Tensor x, Tensor weight, ScalarType type)
    {
        var (input, kernel) = (x.to(type).clone().requires_grad_(true), weight.to(type).clone().requires_grad_(true));
        var result = nn.functional.conv2d(input, kernel, padding: [1, 1]);
        result.backward([result.detach()]);
        return [result.detach().to(float64), input.grad!.to(float64), kernel.grad!.to(float64)];
    }
}
