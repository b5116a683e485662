using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.StableDiffusion;

public sealed class AutoencoderKlTests
{
    private static readonly AutoencoderKlConfig Tiny = new(
        BlockOutChannels: [8, 16], DownBlockTypes: ["DownEncoderBlock2D", "DownEncoderBlock2D"], UpBlockTypes: ["UpDecoderBlock2D", "UpDecoderBlock2D"], NormNumGroups: 4);

    [Fact]
    public void Encoding_and_decoding_leave_only_their_results()
    {
        using var scope = NewDisposeScope();
        using var autoencoder = Initialized();
        var pictures = randn(1, 3, 16, 12);
        Leaks.None(() =>
        {
            using var latents = autoencoder.Encode(pictures);
            using var decoded = autoencoder.Decode(latents.Mean);
            Assert.Equal(pictures.shape, decoded.shape);
        });
    }

    [Fact]
    public void Checkpointing_gives_the_same_bits()
    {
        using var scope = NewDisposeScope();
        var pictures = randn(1, 3, 16, 16);
        var runs = new[] { false, true }.Select(isCheckpointed =>
        {
            using var autoencoder = Initialized();
            autoencoder.IsCheckpointed = isCheckpointed;
            var latents = autoencoder.Encode(pictures);
            (autoencoder.Decode(latents.Sample(ones_like(latents.Mean))).square().mean() + latents.KullbackLeibler().mean()).backward();
            return autoencoder.parameters().Select(parameter => parameter.grad!.clone()).ToList();
        }).ToList();
        Assert.All(runs[0].Zip(runs[1]), pair => Assert.True(pair.First.eq(pair.Second).all().item<bool>()));
    }

    [Fact]
    public void Samples_have_the_mean_and_the_deviation_of_the_distribution()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(3, CPU);
        var latents = new LatentDistribution(full([1, 4, 64, 64], 2f), full([1, 4, 64, 64], (float)Math.Log(9)));
        var sample = latents.Sample(random);
        Assert.Equal(2, sample.mean().item<float>(), 0.1);
        Assert.Equal(3, sample.std().item<float>(), 0.1);
        Assert.Equal(0, new LatentDistribution(zeros(1, 4, 2, 2), zeros(1, 4, 2, 2)).KullbackLeibler().item<float>());
    }

    [Fact]
    public void A_saved_model_loads_with_the_same_numbers()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var autoencoder = Initialized();
        autoencoder.Save(folder.Root);
        using var again = AutoencoderKl.Load(folder.Root);
        var pictures = randn(1, 3, 8, 8);
        Assert.True(autoencoder.call(pictures).eq(again.call(pictures)).all().item<bool>());
        Assert.Contains("\"_class_name\": \"AutoencoderKL\"", File.ReadAllText(Path.Combine(folder.Root, "config.json")), StringComparison.Ordinal);
    }

    private static AutoencoderKl Initialized()
    {
        var autoencoder = new AutoencoderKl(Tiny);
        using var random = new Generator(4, CPU);
        autoencoder.Initialize(random);
        return autoencoder;
    }
}
