using System.Text.Json;
using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes.Emoji;

/// <summary>The text-to-image model that comes with Bruma.</summary>
public sealed class ShippedEmojiTests : IDisposable
{
    private const long MostBytes = 40_000_000;

    private static readonly string Folder = Path.Combine(Repository.Root, "models", "emoji");

    private readonly StableDiffusionPipeline _pipeline = StableDiffusionPipeline.Load(Folder);

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    public void It_is_a_folder_that_other_tools_read()
    {
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "model_index.json")));
        Assert.Equal("StableDiffusionPipeline", index.RootElement.GetProperty("_class_name").GetString());
        foreach (var part in index.RootElement.EnumerateObject().Where(part => part.Value.ValueKind == JsonValueKind.Array && part.Value[0].ValueKind == JsonValueKind.String))
            Assert.True(Directory.Exists(Path.Combine(Folder, part.Name)), part.Name);
        using var unet = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "unet", "config.json")));
        Assert.Equal(16, unet.RootElement.GetProperty("sample_size").GetInt32());
        Assert.True(Version.Parse(unet.RootElement.GetProperty("_diffusers_version").GetString()!) >= new Version(0, 9)); // older ones change sample_size
        var weights = Directory.EnumerateFiles(Folder, "*.safetensors", SearchOption.AllDirectories).ToList();
        Assert.Equal(3, weights.Count);
        Assert.InRange(weights.Sum(file => new FileInfo(file).Length), 1, MostBytes);
        foreach (var file in weights)
            using (var stored = new SafetensorsFile(file))
                Assert.All(stored.Tensors.Values, tensor => Assert.Equal("F16", tensor.DType));
    }

    [Fact]
    public void What_is_drawn_from_its_latent_distributions_is_their_mean()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var autoencoder = AutoencoderKl.Load(Path.Combine(Folder, "vae"));
        using var distribution = autoencoder.Encode(rand([1, 3, 128, 128]) * 2 - 1);
        Assert.Equal(-30, distribution.LogVariance.max().item<float>(), 0.01f); // scripts that train on draws see what the denoiser was trained on
    }

    [Fact]
    public void It_knows_the_committed_words_and_no_others()
    {
        var known = KnownWords.Of(Folder)!;
        Assert.Null(known.Notice("a smiling cat with heart eyes"));
        Assert.Null(known.Notice("un gato sonriente"));
        Assert.NotNull(known.Notice("xylophagous quokka"));
    }

    [Theory]
    [InlineData("grinning face", "yellow")]
    [InlineData("cara sonriendo", "yellow")]
    [InlineData("red heart", "red")]
    [InlineData("corazón rojo", "red")]
    public void Words_of_both_languages_bring_their_colour(string prompt, string colour)
    {
        using var scope = NewDisposeScope();
        var mean = zeros(3);
        foreach (var picture in _pipeline.Generate($"{prompt}, twemoji style", new ImageRequest { Steps = 8, Seed = 1, Count = 3 }))
            mean += picture.ToTensor().to(float32).narrow(1, 44, 40).narrow(2, 44, 40).mean([1L, 2L]) / 3;
        var (red, green, blue) = (mean[0].item<float>(), mean[1].item<float>(), mean[2].item<float>());
        Assert.True(red > blue + 40, $"{red:0} {green:0} {blue:0}");
        Assert.True(colour == "yellow" == (green > blue + 40), $"{red:0} {green:0} {blue:0}");
    }
}
