using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Tests.Imaging;

public sealed class ResamplingTests
{
    /// <summary>PIL's numbers: places are sums, and the middle of seven is a little before the second of two pixels.</summary>
    [Fact]
    public void Nearest_takes_the_pixels_that_PIL_takes()
    {
        using var scope = NewDisposeScope();
        var pair = tensor(new byte[] { 10, 20 }).reshape(1, 1, 2);
        Assert.Equal([10, 10, 10, 10, 20, 20, 20], Resampling.Resize(pair, 7, 1, ResampleFilter.Nearest).data<byte>().ToArray());
        Assert.Equal([10, 10, 20, 20], Resampling.Resize(pair, 4, 1, ResampleFilter.Nearest).data<byte>().ToArray());
    }
}
