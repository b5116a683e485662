using Bruma.Gans;
using Bruma.Nn;
using Bruma.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Tests.Gans;

public sealed class GanNetworkTests
{
    [Theory]
    [InlineData("dcgan", 28, 1)]
    [InlineData("dcgan", 64, 3)]
    [InlineData("resnet", 28, 1)]
    [InlineData("resnet", 128, 3)]
    public void Networks_follow_the_resolution(string architecture, int resolution, int channels)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach (var (normalised, conditioning) in new[] { (true, ClassConditioning.None), (false, ClassConditioning.Projection), (true, ClassConditioning.AuxiliaryClassifier) })
        {
            var shape = new GanShape(architecture, resolution, channels, 16, normalised, SpectralNorm: !normalised, conditioning, conditioning == ClassConditioning.None ? 0 : 5);
            using var generator = new GanGenerator(GanArchitectures.Generator(shape));
            using var discriminator = new GanDiscriminator(GanArchitectures.Discriminator(shape));
            using var random = HashedSeed.At(1, 2);
            GanStart.Initialize(generator, random);
            GanStart.Initialize(discriminator, random);
            generator.eval();
            var classes = shape.Classes == 0 ? null : zeros(2, int64);
            var pictures = generator.call(randn([2, 16], generator: random), classes);
            Assert.Equal([2, channels, resolution, resolution], pictures.shape);
            Assert.True(pictures.abs().max().item<float>() <= 1);
            var judgement = discriminator.Judge(pictures, classes);
            Assert.Equal([2], judgement.Logits.shape);
            Assert.Equal(conditioning == ClassConditioning.AuxiliaryClassifier ? [2, 5] : null, judgement.ClassLogits?.shape);
        }
    }

    [Fact]
    public void Doubling_and_convolution_in_one_give_what_they_give_apart()
    {
        using var scope = NewDisposeScope();
        using var fused = new UpsampledConv2d(5, 3);
        using var random = HashedSeed.At(4, 1);
        using (no_grad())
            foreach (var parameter in fused.parameters())
                parameter.normal_(0, 1, random);
        fused.to(float64);
        var x = randn([2, 5, 7, 7], float64, generator: random).requires_grad_(true);
        var weight = fused.Weight.detach().clone().requires_grad_(true);
        var apart = functional.conv2d(functional.interpolate(x, scale_factor: [2, 2]), weight, fused.Bias!.detach(), [1, 1], [1, 1]);
        var gradient = randn(apart.shape, float64, generator: random);
        var together = fused.call(x);
        Assert.True(together.allclose(apart, 1e-12, 1e-12));
        (together * gradient).sum().backward();
        var ofInput = x.grad!.clone();
        x.grad!.zero_();
        (apart * gradient).sum().backward();
        Assert.True(ofInput.allclose(x.grad!, 1e-12, 1e-12));
        Assert.True(fused.Weight.grad!.allclose(weight.grad!, 1e-12, 1e-12));
    }

    [Fact]
    public void The_largest_singular_value_becomes_one()
    {
        using var scope = NewDisposeScope();
        using var norm = new SpectralNorm([6, 2, 3, 3]);
        using var random = HashedSeed.At(5, 1);
        using (no_grad())
            norm.Original.normal_(0, 3, random);
        norm.Initialize(random);
        for (var i = 0; i < 200; i++)
            norm.Weight();
        norm.eval();
        Assert.Equal(1, linalg.svdvals(norm.Weight().flatten(1))[0].item<float>(), 1e-3);
    }

    [Fact]
    public void Pictures_do_not_depend_on_their_neighbours_and_survive_a_folder()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var random = HashedSeed.At(6, 1);
        var network = new GanGenerator(GanArchitectures.Generator(new GanShape("dcgan", 16, 1, 8, true, false, ClassConditioning.Projection, 3)));
        GanStart.Initialize(network, random);
        using var pipeline = new GanPipeline(network, new Bruma.Hub.ModelDefaults(Classes: ["a", "b", "c"], Size: 16));
        pipeline.Save(folder.Root);
        using var loaded = GanPipeline.Load(folder.Root);
        var four = pipeline.Generate(new GanRequest(4, 10));
        Assert.True(four[2].allclose(loaded.Generate(new GanRequest(1, 12, 2))[0], 1e-5, 1e-6));
        Assert.True(loaded.Latents(new GanRequest(50, 1, Truncation: 0.5)).abs().max().item<float>() <= 0.5f);
        Assert.Contains("--truncation", Assert.Throws<BrumaException>(() => loaded.Latents(new GanRequest(1, 1, Truncation: 0))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Augmentation_moves_every_picture_in_its_own_way_and_passes_gradients()
    {
        using var scope = NewDisposeScope();
        using var random = HashedSeed.At(7, 1);
        var x = rand([4, 3, 16, 16], generator: random).requires_grad_(true);
        Assert.Same(x, DiffAugment.Apply(x, [], random));
        var y = DiffAugment.Apply(x, [.. DiffAugment.Groups], random);
        Assert.Equal(x.shape, y.shape);
        Assert.False(y[0].allclose(y[1]));
        y.sum().backward();
        Assert.True(x.grad!.abs().sum().item<float>() > 0);
        Leaks.None(() => DiffAugment.Apply(x, [.. DiffAugment.Groups], random));
    }
}
