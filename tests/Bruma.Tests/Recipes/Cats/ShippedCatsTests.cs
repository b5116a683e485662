using System.Text.Json;
using Bruma.Hub;
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

    private static readonly Range DomesticCats = 281..286; // of ImageNet's classes: tabby, tiger cat, Persian, Siamese, Egyptian

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
    public void A_classifier_of_photos_sees_more_cat_in_its_pictures_than_in_those_of_the_base()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var classifier = EfficientNetLite0.Load(Folder(EfficientNetLite0.ModelName));
        var (adapted, plain) = (Share("cats"), Share("emoji"));
        Assert.True(adapted > 3 * plain, $"{adapted:0.000} against {plain:0.000}");

        double Share(string name)
        {
            using var pipeline = StableDiffusionPipeline.Load(Folder(name));
            return pipeline.Generate("a photo of a bengal cat", new ImageRequest { Steps = 12, Seed = 0, Count = 8 })
                .Average(picture => nn.functional.softmax(classifier.call(classifier.Prepare(picture.ToTensor()).unsqueeze(0)), 1)[0, DomesticCats.Start.Value..DomesticCats.End.Value].sum().item<float>());
        }
    }
}
