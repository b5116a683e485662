using Bruma.Hub;
using Bruma.Tests.Support;
using Bruma.Vision;
using static TorchSharp.torch;

namespace Bruma.Tests.Vision;

public sealed class EfficientNetLite0Tests
{
    private static string Folder => Path.Combine(Repository.Root, "models", EfficientNetLite0.ModelName);

    [Fact]
    public void The_shipped_copy_loads_and_is_found_by_name()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var network = EfficientNetLite0.Load(Folder);
        Assert.Equal(4_652_008, network.parameters().Sum(parameter => parameter.numel()));
        Assert.Contains(InstalledModels.In([Path.GetDirectoryName(Folder)!]), model => model.Name == EfficientNetLite0.ModelName);
        using var picture = zeros(3, 40, 60, dtype: uint8);
        Assert.Equal([3, 224, 224], network.Prepare(picture).shape);
    }

    [Fact]
    public void A_new_head_keeps_the_features()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var network = EfficientNetLite0.Load(Folder);
        using var other = network.WithHead(3, new Generator(1, CPU));
        other.eval();
        var images = rand(1, 3, 64, 64, generator: new Generator(2, CPU));
        Assert.True(network.Features(images).equal(other.Features(images)).all().item<bool>());
        Assert.Equal([1, 3], other.call(images).shape);
    }

    [Fact]
    public void A_pass_keeps_nothing_alive()
    {
        using var network = new EfficientNetLite0(new EfficientNetLite0Config());
        network.eval();
        using var images = zeros(1, 3, 33, 65);
        Leaks.None(() => network.call(images));
    }

    [Theory]
    [InlineData(5, 2, 224, 112)]
    [InlineData(3, 2, 7, 4)]
    [InlineData(5, 1, 6, 6)]
    public void Same_padding_gives_size_over_stride_rounded_up(int kernel, int stride, int size, int expected)
    {
        using var layer = new SameConv2d(2, 2, kernel, stride, groups: 2);
        using var input = zeros(1, 2, size, size);
        using var output = layer.call(input);
        Assert.Equal([1, 2, expected, expected], output.shape);
    }
}
