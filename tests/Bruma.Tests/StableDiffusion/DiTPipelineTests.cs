using Bruma.Diffusion;
using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.StableDiffusion;

/// <summary>The diffusion transformer over the tiny random model of the reference cases, as a folder with the names of its classes.</summary>
public sealed class DiTPipelineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DiTPipelineTests()
    {
        foreach (var part in new[] { "tiny-dit/transformer", "tiny-dit/scheduler", "tiny-sd/vae" })
            AtomicFile.CopyFolder(Path.Combine(Repository.Goldens, "pipelines", part), _folder[Path.GetFileName(part)]);
        Labels("""{"1": "goldfish, Carassius auratus", "0": "tench, Tinca tinca"}""");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Classes_have_the_names_of_id2label_in_the_order_of_their_indices()
    {
        using (var pipeline = DiTPipeline.Load(new ModelSources(_folder.Root)))
            Assert.Equal(["tench, Tinca tinca", "goldfish, Carassius auratus"], pipeline.Defaults.Classes!);
        Labels("""{"0": "tench", "2": "shark"}""");
        using (var pipeline = DiTPipeline.Load(new ModelSources(_folder.Root)))
            Assert.Null(pipeline.Defaults.Classes);
    }

    [Fact]
    public void Picture_i_has_seed_plus_i_and_a_class_must_be_chosen()
    {
        using var scope = NewDisposeScope();
        using var pipeline = DiTPipeline.Load(new ModelSources(_folder.Root));
        var request = new DiffusionRequest(2, 7, Class: 1, Steps: 3);
        var two = pipeline.Generate(request);
        Assert.Equal([2, 3, pipeline.PictureSize, pipeline.PictureSize], two.shape);
        Assert.True(two[1..].Equals(pipeline.Generate(request with { Count = 1, Seed = 8 })));
        Assert.False(two[1..].Equals(pipeline.Generate(request with { Count = 1, Seed = 8, Class = 0 })));
        Assert.Contains("--class", Assert.Throws<BrumaException>(() => pipeline.Generate(request with { Class = null })).Message, StringComparison.Ordinal);
    }

    private void Labels(string labels) => File.WriteAllText(_folder["model_index.json"], $$"""{"_class_name": "DiTPipeline", "id2label": {{labels}}}""");
}
