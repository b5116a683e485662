using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.StableDiffusion;

public sealed class ControlNetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public void A_fresh_one_changes_nothing_whatever_the_autoencoder_reduces(int reduction)
    {
        using var still = no_grad();
        using var random = new Generator(3, CPU);
        using var network = UNet2DConditionModel.Load(Path.Combine(Repository.Goldens, "pipelines", "tiny-sd", "unet"));
        using var control = ControlNetModel.Of(network, reduction, random);
        Leaks.None(() =>
        {
            var (sample, times, context) = (randn([1, 4, 8, 8], generator: random), tensor(new long[] { 500 }), new UNetConditioning(randn([1, 3, 8], generator: random)));
            var steered = control.Steer(context, sample, times, new ControlSignal(rand([1, 3, 8 * reduction, 8 * reduction], generator: random)));
            Assert.Equal(0, steered.MidResidual!.abs().sum().item<float>() + steered.DownResiduals!.Sum(residual => residual.abs().sum().item<float>()));
            Assert.True(network.call(sample, times, steered).allclose(network.call(sample, times, context), 1e-4, 1e-5));
        });
        Assert.True(control.get_parameter("down_blocks.0.resnets.0.conv1.weight")!.eq(network.get_parameter("down_blocks.0.resnets.0.conv1.weight")!).all().item<bool>());
    }

    [Fact]
    public void A_fresh_one_learns_from_the_picture_with_its_first_step()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(4, CPU);
        using var network = UNet2DConditionModel.Load(Path.Combine(Repository.Goldens, "pipelines", "tiny-sd", "unet"));
        using var control = ControlNetModel.Of(network, 8, random);
        var (sample, times, context) = (randn([1, 4, 8, 8], generator: random), tensor(new long[] { 500 }), new UNetConditioning(randn([1, 3, 8], generator: random)));
        var direction = randn([1, 16, 4, 4], generator: random);
        var (black, outline) = (Gradient(zeros(1, 3, 64, 64)), Gradient(rand([1, 3, 64, 64], generator: random).gt(0.9).to(float32)));
        Assert.True(((black - outline).norm() / black.norm()).item<float>() > 0.01);

        Tensor Gradient(Tensor picture)
        {
            control.zero_grad();
            var middle = control.Steer(context, sample, times, new ControlSignal(picture)).MidResidual!;
            (middle * direction).sum().backward();
            return control.get_parameter("controlnet_mid_block.weight")!.grad!.clone();
        }
    }
}
