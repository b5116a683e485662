using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using Microsoft.Extensions.AI;

namespace Bruma.Tests.StableDiffusion;

#pragma warning disable MEAI001 // the interface is experimental
public sealed class ImageGeneratorTests
{
    [Fact]
    public async Task Draws_and_edits_as_the_properties_say()
    {
        using var generator = new StableDiffusionImageGenerator(StableDiffusionPipeline.Load(Path.Combine(Repository.Goldens, "pipelines", "tiny-sd")));
        var options = new ImageGenerationOptions
        {
            Count = 2,
            ImageSize = new(32, 16),
            AdditionalProperties = new() { ["seed"] = 5, ["num_inference_steps"] = "2", ["guidance_scale"] = 3.0, ["negative_prompt"] = "dark", ["scheduler"] = "euler" },
        };
        var response = await generator.GenerateAsync(new ImageGenerationRequest("a cat"), options, TestContext.Current.CancellationToken);
        var pictures = response.Contents.Cast<DataContent>().ToList();
        Assert.Equal(["image/png", "image/png"], pictures.Select(picture => picture.MediaType));

        options.Count = 1;
        var edited = await generator.GenerateAsync(new ImageGenerationRequest("a dog", [pictures[0]]), options, TestContext.Current.CancellationToken);
        Assert.NotEqual(pictures[0].Data.ToArray(), ((DataContent)edited.Contents[0]).Data.ToArray());
        Assert.IsType<StableDiffusionPipeline>(generator.GetService(typeof(StableDiffusionPipeline)));
        Assert.Equal("bruma", ((ImageGeneratorMetadata)generator.GetService(typeof(ImageGeneratorMetadata))!).ProviderName);
        Assert.Null(generator.GetService(typeof(StableDiffusionPipeline), "key"));
    }
}
