using System.Text.Json.Nodes;
using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Tests.StableDiffusion;

/// <summary>SDXL's hand-over from the base to a refiner, over the tiny random models of the reference cases.</summary>
public sealed class RefinerTests : IDisposable
{
    private const string Prompt = "a cat on a mat";

    private static readonly string Pipelines = Path.Combine(Repository.Goldens, "pipelines");

    private readonly TemporaryFolder _folder = new();
    private readonly ImageRequest _request = new() { Steps = 10, GuidanceScale = 4, Seed = 3, Width = 64, Height = 64, DenoisingEnd = 0.8 };

    public RefinerTests()
    {
        AtomicFile.CopyFolder(Path.Combine(Pipelines, "tiny-sdxl"), _folder["base"]);
        AtomicFile.CopyFolder(Path.Combine(Pipelines, "tiny-sd", "text_encoder"), _folder["base/text_encoder"]);
        foreach (var tokenizer in new[] { "tokenizer", "tokenizer_2" })
            foreach (var file in new[] { "vocab.json", "merges.txt" })
                File.Copy(Path.Combine(Pipelines, "tiny-sd", "tokenizer", file), _folder[$"base/{tokenizer}/{file}"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_base_that_hands_over_to_itself_draws_what_it_draws_alone()
    {
        using var pipeline = StableDiffusionPipeline.Load(_folder["base"]);
        var alone = pipeline.Generate(Prompt, _request with { DenoisingEnd = null }).Single();
        Assert.Equal(Pixels(alone), Pixels(pipeline.GenerateRefined(pipeline, Prompt, _request).Single()));
    }

    [Fact]
    public void The_refiner_reads_the_second_encoder_and_a_score_and_the_record_draws_the_picture_again()
    {
        WriteRefiner();
        using var pipeline = StableDiffusionPipeline.Load(_folder["base"]);
        using var refiner = StableDiffusionPipeline.Load(_folder["refiner"]);
        var image = pipeline.GenerateRefined(refiner, Prompt, _request).Single();
        Assert.NotEqual(Pixels(pipeline.Generate(Prompt, _request).Single()), Pixels(image));
        Assert.NotEqual(Pixels(pipeline.GenerateRefined(refiner, Prompt, _request with { Sizes = new XlSizes { AestheticScore = 1 } }).Single()), Pixels(image));

        image.Save(_folder["picture.png"]);
        var text = ParametersText.Parse(Bruma.Imaging.PictureText.Read(_folder["picture.png"])[ParametersWriter.Keyword]);
        Assert.Equal(("base", "0.8"), (text["Model"], text["Refiner switch at"]));
        Assert.StartsWith("refiner [", text["Refiner"], StringComparison.Ordinal);
        using var replay = ImageReplay.Load(GenerationRecord.FromJson(text[ParametersWriter.RecordKey]!, "picture.png"));
        Assert.Equal(image.ToPng(), replay.Draw().ToPng());
    }

    [Fact]
    public void Another_autoencoder_stands_in_the_record_and_one_of_other_latents_is_refused()
    {
        AtomicFile.CopyFolder(Path.Combine(Pipelines, "tiny-sd", "vae"), _folder["other-vae"]);
        using var pipeline = StableDiffusionPipeline.Load(_folder["base"]);
        var own = pipeline.Generate(Prompt, _request).Single();
        pipeline.ReplaceAutoencoder(new NamedFile(_folder["other-vae"]));
        var image = pipeline.Generate(Prompt, _request).Single();
        Assert.NotEqual(Pixels(own), Pixels(image));
        using var replay = ImageReplay.Load(image.Record.Hashed());
        Assert.Equal(Pixels(image), Pixels(replay.Draw()));
        Assert.Equal("other-vae", ParametersWriter.Text(image.Record.Hashed())["VAE"]);

        var emoji = Path.Combine(Repository.Root, "models", "emoji", "vae");
        Assert.Contains("8 channels", Assert.Throws<BrumaException>(() => pipeline.ReplaceAutoencoder(new NamedFile(emoji))).Message, StringComparison.Ordinal);
        Assert.Equal(Pixels(image), Pixels(pipeline.Generate(Prompt, _request).Single()));
    }

    [Fact]
    public void A_replay_is_refused_when_a_file_that_took_part_has_changed_or_is_gone()
    {
        AtomicFile.CopyFolder(Path.Combine(Pipelines, "tiny-sd", "vae"), _folder["other-vae"]);
        using var pipeline = StableDiffusionPipeline.Load(_folder["base"]);
        pipeline.ReplaceAutoencoder(new NamedFile(_folder["other-vae"]));
        var record = pipeline.Generate(Prompt, _request).Single().Record.Hashed();
        ImageReplay.Load(record, _folder["base"]).Dispose();

        Directory.Delete(_folder["other-vae"], recursive: true);
        Assert.Contains("the autoencoder", Refused(), StringComparison.Ordinal);
        AtomicFile.CopyFolder(_folder["base/vae"], _folder["other-vae"]);
        Assert.Contains("has changed since the picture was drawn", Refused(), StringComparison.Ordinal);
        Directory.Delete(_folder["base"], recursive: true);
        Assert.Contains("name it with --model", Refused(), StringComparison.Ordinal);

        string Refused() => Assert.Throws<BrumaException>(() => ImageReplay.Load(record)).Message;
    }

    [Fact]
    public void What_a_refiner_cannot_do_is_said()
    {
        using var pipeline = StableDiffusionPipeline.Load(_folder["base"]);
        Assert.Contains("DenoisingEnd", Refused(_request with { DenoisingEnd = null }), StringComparison.Ordinal);
        Assert.Contains("DenoisingEnd", Refused(_request with { DenoisingEnd = 1 }), StringComparison.Ordinal);
        Assert.Contains("leave one out", Refused(_request with { HighResolution = new HighResolution() }), StringComparison.Ordinal);

        string Refused(ImageRequest request) => Assert.Throws<BrumaException>(() => pipeline.GenerateRefined(pipeline, Prompt, request).Count()).Message;
    }

    [Fact]
    public void Refined_pictures_leave_no_tensor_behind()
    {
        using var pipeline = StableDiffusionPipeline.Load(_folder["base"]);
        Leaks.None(() => Assert.Equal(2, pipeline.GenerateRefined(pipeline, Prompt, _request with { Count = 2, Steps = 4 }).Count()));
    }

    /// <summary>Random weights in the shape of a refiner: one text encoder, and a score in place of the target size.</summary>
    private void WriteRefiner()
    {
        AtomicFile.CopyFolder(_folder["base"], _folder["refiner"]);
        Directory.Delete(_folder["refiner/text_encoder"], recursive: true);
        Directory.Delete(_folder["refiner/tokenizer"], recursive: true);
        var index = JsonNode.Parse(File.ReadAllText(_folder["refiner/model_index.json"]))!.AsObject();
        (index["_class_name"], index["requires_aesthetics_score"], index["force_zeros_for_empty_prompt"]) = ("StableDiffusionXLImg2ImgPipeline", true, false);
        File.WriteAllText(_folder["refiner/model_index.json"], index.ToJsonString());

        using var scope = NewDisposeScope();
        using var random = new Generator();
        var config = UNet2DConditionModel.ReadConfig(_folder["base/unet"]);
        using var network = new UNet2DConditionModel(config with { CrossAttentionDim = new(8), ProjectionClassEmbeddingsInputDim = 8 + 5 * config.AdditionTimeEmbedDim });
        network.Initialize(random, zeroOutputs: false);
        network.Save(_folder["refiner/unet"]);
    }

    private static byte[] Pixels(GeneratedImage image)
    {
        using var pixels = image.ToTensor();
        return [.. pixels.data<byte>()];
    }
}
