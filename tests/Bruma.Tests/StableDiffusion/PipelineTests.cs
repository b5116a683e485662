using Bruma.Diffusion.Schedulers;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Tests.StableDiffusion;

/// <summary>The pipeline over the tiny random model of the reference cases.</summary>
public sealed class PipelineTests : IDisposable
{
    private static readonly string Model = Path.Combine(Repository.Goldens, "pipelines", "tiny-sd");

    private readonly StableDiffusionPipeline _pipeline = StableDiffusionPipeline.Load(Model);
    private readonly ImageRequest _quick = new() { Steps = 2, GuidanceScale = 3, Seed = 5, Width = 32, Height = 32 };

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    public void Two_hundred_generations_leave_no_more_tensors_alive_than_two()
    {
        var request = _quick with { Steps = 1, Width = 16, Height = 16 };
        Draw(request with { Count = 2 });
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Draw(request with { Count = 200 });
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Picture_i_has_seed_plus_i_and_does_not_depend_on_the_others()
    {
        var three = Draw(_quick with { Count = 3 });
        var third = Draw(_quick with { Seed = _quick.Seed + 2 })[0];
        Assert.Equal(7, three[2].Seed);
        Assert.Equal(third.ToPng(), three[2].ToPng());
        Assert.NotEqual(three[0].ToPng(), three[1].ToPng());
    }

    [Fact]
    public void A_variation_of_strength_0_is_the_seed_and_of_strength_1_the_other()
    {
        var plain = Pixels(_quick);
        Assert.Equal(plain, Pixels(_quick with { Variation = new Variation(99, 0) }));
        Assert.Equal(Pixels(_quick with { Seed = 99 }), Pixels(_quick with { Variation = new Variation(99, 1) }), (a, b) => Math.Abs(a - b) <= 1);
        Assert.NotEqual(plain, Pixels(_quick with { Variation = new Variation(99, 0.3) }));
    }

    [Fact]
    public void The_record_in_a_picture_draws_the_same_pixels_again()
    {
        using var folder = new TemporaryFolder();
        var request = _quick with { NegativePrompt = "blurry, \"dark\"", Scheduler = SchedulerNames.Find("DPM++ 2M Karras", _pipeline.Scheduler), Syntax = PromptSyntax.A1111, Random = RandomSource.Cuda };
        var image = _pipeline.Generate("a (cat:1.3), ñandú: \\(x\\)", request).Single();
        image.Save(folder["picture.png"]);

        var text = ParametersText.Parse(Bruma.Imaging.PictureText.Read(folder["picture.png"])[ParametersWriter.Keyword]);
        Assert.Equal(("a (cat:1.3), ñandú: \\(x\\)", "blurry, \"dark\"", "2", "DPM++ 2M", "Karras", "32x32"), (text.Prompt, text.NegativePrompt, text["Steps"], text["Sampler"], text["Schedule type"], text["Size"]));
        using var replay = ImageReplay.Load(GenerationRecord.FromJson(text[ParametersWriter.RecordKey]!, "picture.png"));
        Assert.Equal(image.ToPng(), replay.Draw().ToPng());
    }

    [Fact]
    public void Sixteen_bits_draw_the_picture_of_32_bits()
    {
        using var scope = NewDisposeScope();
        using var half = StableDiffusionPipeline.Load(Model, new PipelineOptions(ScalarType.BFloat16));
        var request = _quick with { Steps = 10, Width = 64, Height = 64 };
        var (a, b) = (_pipeline.Generate("a cat", request).Single().ToTensor().unsqueeze(0), half.Generate("a cat", request).Single().ToTensor().unsqueeze(0));
        Assert.True(Bruma.Metrics.PixelSimilarity.Psnr(a, b, 255).item<double>() > 30);
    }

    [Fact]
    public void Steps_are_told_and_cancellation_ends_the_run()
    {
        using var source = new CancellationTokenSource();
        var seen = new List<int>();
        Assert.Throws<OperationCanceledException>(() => _pipeline.Generate("", _quick with { Steps = 9 }, step =>
        {
            seen.Add(step.Step);
            if (step.Step == 3)
                source.Cancel();
        }, cancellationToken: source.Token).Count());
        Assert.Equal([1, 2, 3], seen);
    }

    [Fact]
    public void Tiles_agree_with_the_whole_where_they_do_not_blend_and_are_close_where_they_do()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var latents = randn([1, 4, 70, 66], generator: generator) * 0.2;
        var (whole, tiled) = (_pipeline.Decode(latents), _pipeline.Decode(latents, tiled: true));
        Assert.Equal(whole.shape, tiled.shape);
        Assert.True((whole - tiled).abs().mean().item<float>() < 0.1f);
    }

    /// <summary>As LatentConsistencyModelImg2ImgPipeline counts; another model takes the share of the steps.</summary>
    [Theory]
    [InlineData("unet-lcm", "lcm", 4)]
    [InlineData("unet-lcm", "ddim", 2)]
    [InlineData(null, "lcm", 2)]
    public void A_consistency_model_takes_all_steps_from_a_start_picture(string? unet, string scheduler, int expected)
    {
        using var scope = NewDisposeScope();
        using var pipeline = StableDiffusionPipeline.Load(new ModelSources(Model, unet is null ? null : new Dictionary<string, string> { ["unet"] = Path.Combine(Repository.Goldens, "pipelines", "tiny-parts", unet) }));
        var (steps, start) = (0, new StartImage(full([3, 32, 32], 128, uint8), 0.5));
        Assert.Single(pipeline.Generate("a cat", _quick with { Steps = 4, Start = start, Scheduler = SchedulerNames.Find(scheduler, pipeline.Scheduler) }, _ => steps++));
        Assert.Equal(expected, steps);
    }

    [Fact]
    public void A_hand_over_never_falls_between_the_stages_of_a_step()
    {
        using var scope = NewDisposeScope();
        var calls = 0;
        var request = _quick with { Steps = 5, Scheduler = SchedulerNames.Find("heun", _pipeline.Scheduler) with { TimestepSpacing = TimestepSpacing.Linspace }, StartLatents = zeros(1, 4, 4, 4), DenoisingStart = 0.4 };
        Assert.Single(_pipeline.Generate("a cat", request, _ => calls++));
        Assert.Equal(7, calls); // of 999, 2 x 749, 2 x 500, 2 x 250, 2 x 0 those below 600 and the stage before
    }

    [Fact]
    public void An_inverted_picture_comes_back()
    {
        using var scope = NewDisposeScope();
        var request = _quick with { Steps = 40, GuidanceScale = 1, Width = 64, Height = 64 };
        var picture = _pipeline.Generate("a cat", request).Single().ToTensor();
        var noise = _pipeline.Invert(picture, "a cat", request);
        Assert.Equal([1, 4, 8, 8], noise.shape);
        Assert.True(noise.isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData(30, 32, "the width is 30, which is not a multiple of 8; 32 is the nearest that is.")]
    [InlineData(32, 12, "the height is 12, which is not a multiple of 8; 16 is the nearest that is.")]
    public void Sides_that_do_not_divide_are_refused(int width, int height, string expected) =>
        Assert.Equal(expected, Assert.Throws<BrumaException>(() => _pipeline.Generate("", _quick with { Width = width, Height = height })).Message);

    [Fact]
    public void A_mask_of_another_size_is_refused()
    {
        using var scope = NewDisposeScope();
        var start = new StartImage(zeros([3, 32, 32], uint8), Mask: zeros([1, 16, 32], uint8));
        Assert.Contains("the mask is 32x16 pixels but the picture 32x32", Assert.Throws<BrumaException>(() => _pipeline.Generate("", _quick with { Start = start })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attention_maps_add_up_to_one_over_the_tokens()
    {
        using var maps = new CrossAttentionMaps(_pipeline.Network, (4, 4));
        Draw(_quick);
        using var mean = maps.Mean();
        Assert.Equal([77, 4, 4], mean.shape);
        using var sum = mean.sum(0, keepdim: false);
        Assert.Equal(1, sum.max().item<float>(), 1e-3);
    }

    [Fact]
    public void A_network_that_gives_no_numbers_is_caught_at_its_step()
    {
        using (no_grad())
            _pipeline.Network.parameters().Last().fill_(float.NaN);
        Assert.Contains("at step 1 of 3", Assert.Throws<BrumaException>(() => Draw(_quick)).Message, StringComparison.Ordinal); // PNDM asks once more
    }

    private List<GeneratedImage> Draw(ImageRequest request) => [.. _pipeline.Generate("a cat", request)];

    private List<int> Pixels(ImageRequest request)
    {
        using var pixels = _pipeline.Generate("a cat", request).Single().ToTensor();
        return [.. pixels.data<byte>().Select(value => (int)value)];
    }
}
