using System.Text.Json;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using Bruma.Text;
using Bruma.Vision;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes.Cats;

/// <summary>The model of cat photos that comes with Bruma: a U-Net on top of models/emoji.</summary>
public sealed class ShippedCatsTests
{
    private const long MostBytes = 27_000_000;

    private static string Folder(string name) => Path.Combine(Repository.Root, "models", name);

    [Fact]
    public void It_brings_its_own_network_and_takes_the_rest_from_the_base()
    {
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder("cats"), "model_index.json")));
        Assert.Equal("StableDiffusionPipeline", index.RootElement.GetProperty("_class_name").GetString());
        var weights = Assert.Single(Directory.EnumerateFiles(Folder("cats"), "*.safetensors", SearchOption.AllDirectories));
        Assert.Equal("unet", Path.GetFileName(Path.GetDirectoryName(weights)));
        Assert.InRange(new FileInfo(weights).Length, 1, MostBytes);
        using var stored = new SafetensorsFile(weights);
        Assert.All(stored.Tensors.Values, tensor => Assert.Equal("F16", tensor.DType));
        Assert.NotNull(KnownWords.Of(Folder("cats"))!.Notice("bicycle"));
        Assert.Null(KnownWords.Of(Folder("cats"))!.Notice("foto de un gato"));
    }

    [Fact]
    public void Its_pictures_are_nearer_to_photos_of_cats_than_those_of_the_base()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var network = EfficientNetLite0.Load(Folder(EfficientNetLite0.ModelName));
        var photos = Features(Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests", "data", "cats"), "*.jpg", SearchOption.AllDirectories).Select(ImageFile.Load)).mean([0]);
        var (adapted, plain) = (Likeness("cats"), Likeness("emoji"));
        Assert.True(adapted > plain + 0.03, $"{adapted:0.000} against {plain:0.000}");

        Tensor Features(IEnumerable<Tensor> pictures) => cat([.. pictures.Select(picture => network.Features(network.Prepare(picture).unsqueeze(0)))]);

        double Likeness(string name)
        {
            using var pipeline = StableDiffusionPipeline.Load(Folder(name));
            var pictures = pipeline.Generate("a photo of a bengal cat", new ImageRequest { Steps = 12, Seed = 0, Count = 8 }).Select(picture => picture.ToTensor());
            return nn.functional.cosine_similarity(Features(pictures), photos.unsqueeze(0), 1).mean().item<float>();
        }
    }
}
