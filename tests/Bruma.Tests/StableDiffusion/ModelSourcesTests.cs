using System.Text.Json.Nodes;
using Bruma.Hub;
using Bruma.Recipes;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;

namespace Bruma.Tests.StableDiffusion;

/// <summary>A folder with a U-Net of its own that takes its other parts from another folder.</summary>
[Collection(TemporaryCache.Variable)]
public sealed class ModelSourcesTests : IDisposable
{
    private static readonly string Whole = Path.Combine(Repository.Goldens, "pipelines", "tiny-sd");

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryCache _cache;
    private readonly string _part;

    public ModelSourcesTests()
    {
        _cache = new TemporaryCache(_folder);
        Copy("base");
        foreach (var part in Directory.EnumerateDirectories(Copy("part")).Where(part => Path.GetFileName(part) != "unet"))
            Directory.Delete(part, recursive: true);
        _part = Path.Combine(_folder.Root, "part");
        BuildOn("../base");
    }

    public void Dispose()
    {
        _cache.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void It_draws_what_the_whole_folder_draws_and_is_written_out_as_a_whole_one()
    {
        var request = new ImageRequest { Steps = 2, Seed = 3, Width = 16, Height = 16 };
        var expected = Draw(Whole, request);
        Assert.Equal(expected, Draw(_part, request));

        CheckpointConversion.Retype(_part, _folder["written"], null);
        Assert.Null(new ModelSources(_folder["written"]).Base);
        Assert.Equal(expected, Draw(_folder["written"], request));
        CheckpointConversion.ToSingleFile(_part, _folder["one.safetensors"]);
        CheckpointConversion.ToSingleFile(Whole, _folder["other.safetensors"]);
        Assert.Equal(File.ReadAllBytes(_folder["other.safetensors"]), File.ReadAllBytes(_folder["one.safetensors"]));
    }

    [Fact]
    public void Its_sums_change_with_the_folder_that_it_builds_on()
    {
        var (weights, all) = (WeightsHash.Of(_part), SampleModels.HashOf(_part));
        var autoencoder = Path.Combine(_folder.Root, "base", "vae", "diffusion_pytorch_model.safetensors");
        var bytes = File.ReadAllBytes(autoencoder);
        bytes[^1] ^= 1;
        File.WriteAllBytes(autoencoder, bytes);
        Assert.NotEqual(weights, WeightsHash.Of(_part));
        Assert.NotEqual(all, SampleModels.HashOf(_part));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named()
    {
        BuildOn("../gone");
        Assert.Contains("\"../gone\"", Assert.Throws<BrumaException>(() => StableDiffusionPipeline.Load(_part)).Message, StringComparison.Ordinal);
    }

    private static byte[] Draw(string model, ImageRequest request)
    {
        using var pipeline = StableDiffusionPipeline.Load(model);
        using var pixels = pipeline.Generate("a cat", request).Single().ToTensor();
        return pixels.data<byte>().ToArray();
    }

    private void BuildOn(string other)
    {
        var path = Path.Combine(_part, "model_index.json");
        var index = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        index["_bruma_base"] = other;
        File.WriteAllText(path, index.ToJsonString());
    }

    private string Copy(string name)
    {
        AtomicFile.CopyFolder(Whole, _folder[name]);
        return _folder[name];
    }
}
