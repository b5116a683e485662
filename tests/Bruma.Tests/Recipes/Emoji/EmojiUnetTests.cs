using System.Security.Cryptography;
using System.Text.Json;
using Bruma.Hub;
using Bruma.Metrics;
using Bruma.Recipes.Emoji;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes.Emoji;

/// <summary>The first stages of the emoji recipe on a data set of sixteen squares: two steps each.</summary>
public sealed class EmojiStages : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public EmojiStages()
    {
        Data = TinyEmoji.Write(_folder);
        Complete(EmojiTextTraining.Start(_folder["run/text"], EmojiTextOptions.Quick(Data) with { VocabularySize = 560, Width = 32, Steps = 2, MeasureEvery = 2, BatchSize = 8 }, TinyEmoji.Splits));
        Complete(EmojiVaeTraining.Start(_folder["run/vae"], EmojiVaeOptions.Quick(Data) with { Widths = [16, 16, 16], Steps = 2, MeasureEvery = 2, BatchSize = 4 }, TinyEmoji.Splits));
    }

    public string Data { get; }

    public string Run => Path.Combine(_folder.Root, "run");

    public void Dispose() => _folder.Dispose();

    internal static void Complete(ITrainingRun run)
    {
        using (run)
        {
            Assert.All(run.Run(), report => Assert.True(double.IsFinite(report.Loss)));
            Assert.NotEmpty(run.Finish());
        }
    }
}

/// <summary>The denoiser's stage, and what the others wrote.</summary>
public sealed class EmojiUnetTests(EmojiStages stages) : IClassFixture<EmojiStages>, IDisposable
{
    private const int Steps = 4;

    private readonly TemporaryFolder _folder = new();

    private EmojiUnetOptions Options => EmojiUnetOptions.Quick(stages.Data, stages.Run) with { Steps = Steps, DecaySteps = 1, Composed = 4, ComposedFrom = 16, BatchSize = 8, MeasureEvery = Steps, WarmupSteps = 1 };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_stopped_run_goes_on_to_the_same_bytes_and_writes_a_pipeline()
    {
        EmojiStages.Complete(EmojiUnetTraining.Start(_folder["run/unet"], Options, TinyEmoji.Splits));
        var stopped = _folder["run/stopped"];
        using (var first = EmojiUnetTraining.Start(stopped, Options, TinyEmoji.Splits))
        using (var stop = new CancellationTokenSource())
            foreach (var report in first.Run(stop.Token))
                if (report.Step == 2)
                    stop.Cancel();
        EmojiStages.Complete(EmojiUnetTraining.Resume(stopped, TinyEmoji.Splits));

        Assert.Equal(Hashes(_folder["run/unet"]), Hashes(stopped));
        using var pipeline = StableDiffusionPipeline.Load(Path.Combine(stopped, "model"));
        var picture = Assert.Single(pipeline.Generate("cat, noto style", new ImageRequest { Steps = 2, Seed = 1 }));
        using var pixels = picture.ToTensor();
        Assert.Equal([3, 64, 64], pixels.shape);
        Assert.Equal(["noto", "twemoji"], pipeline.Defaults.Styles);
        using var weights = new SafetensorsFile(Path.Combine(stopped, "model", "unet", "diffusion_pytorch_model.safetensors"));
        Assert.All(weights.Tensors.Values, tensor => Assert.Equal("F16", tensor.DType));
        Assert.Contains("gato", File.ReadAllLines(Path.Combine(stopped, "model", "words.txt")));
        Assert.DoesNotContain("campana", File.ReadAllLines(Path.Combine(stopped, "model", "words.txt")));
    }

    [Fact]
    public void Cooling_down_leaves_the_run_as_it_is()
    {
        var going = _folder["run/unet"];
        using (var training = EmojiUnetTraining.Start(going, Options, TinyEmoji.Splits))
            Assert.Equal(Steps, training.Run().Count());
        var before = Hashes(going);
        using (var cooled = EmojiUnetTraining.CoolDown(_folder["cooled"], going, 2, TinyEmoji.Splits))
        {
            var reports = cooled.Run().ToList();
            Assert.Equal([Steps + 1, Steps + 2], reports.Select(report => report.Step));
            Assert.True(reports[1].LearningRate < reports[0].LearningRate);
            Assert.Contains("model", Assert.Single(cooled.Finish()), StringComparison.Ordinal);
        }
        Assert.Equal(before, Hashes(going));
    }

    [Fact]
    public void A_finished_model_is_trained_on_from_its_own_weights()
    {
        var first = EmojiUnetTraining.Start(_folder["run/unet"], Options, TinyEmoji.Splits);
        EmojiStages.Complete(first);
        var model = Path.Combine(_folder.Root, "run", "unet", "model");
        var on = EmojiUnetOptions.Continued(stages.Data, model, Steps) with { Composed = 4, BatchSize = 8, MeasureEvery = Steps, LearningRate = 2e-3, Seed = 5 };
        var second = EmojiUnetTraining.Start(_folder["on"], on, TinyEmoji.Splits);
        EmojiStages.Complete(second);
        Assert.Equal(first.Measures.Losses().Last, second.Measures.Losses().First, 0.003); // but for fp16
        Assert.NotEqual(first.Measures.Losses().Last, second.Measures.Losses().Last, 0.0001);
        using var pipeline = StableDiffusionPipeline.Load(_folder["on/model"]);
        Assert.Equal(File.ReadAllBytes(Path.Combine(model, "vae", "diffusion_pytorch_model.safetensors")), File.ReadAllBytes(_folder["on/model/vae/diffusion_pytorch_model.safetensors"]));
    }

    [Fact]
    public void Refining_the_decoder_leaves_the_encoder_to_the_bit()
    {
        var finished = Path.Combine(stages.Run, "vae");
        EmojiStages.Complete(EmojiVaeTraining.Refine(_folder["refined"], finished, 2, 0, TinyEmoji.Splits));
        using var scope = NewDisposeScope();
        using var before = new SafetensorsFile(Path.Combine(finished, "model", "diffusion_pytorch_model.safetensors"));
        using var after = new SafetensorsFile(Path.Combine(_folder["refined"], "model", "diffusion_pytorch_model.safetensors"));
        Assert.Equal(before.Tensors.Keys.Order(StringComparer.Ordinal), after.Tensors.Keys.Order(StringComparer.Ordinal));
        var changed = before.Tensors.Keys.Where(name => !before.Read(name).Equals(after.Read(name))).Select(name => name.Split('.')[0]).Distinct();
        Assert.Equal(["decoder", "post_quant_conv"], changed.Order(StringComparer.Ordinal));
        Assert.Contains("emoji-text", Assert.Throws<BrumaException>(() => EmojiVaeTraining.Refine(_folder["other"], Path.Combine(stages.Run, "text"), 2, 0, TinyEmoji.Splits)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refinement_against_a_discriminator_goes_on_to_the_same_bytes()
    {
        var finished = Path.Combine(stages.Run, "vae");
        EmojiStages.Complete(EmojiVaeTraining.Refine(_folder["whole"], finished, 3, 0.5, TinyEmoji.Splits));
        using (var first = EmojiVaeTraining.Refine(_folder["stopped"], finished, 3, 0.5, TinyEmoji.Splits))
        using (var stop = new CancellationTokenSource())
            foreach (var _ in first.Run(stop.Token))
                stop.Cancel();
        EmojiStages.Complete(EmojiVaeTraining.Resume(_folder["stopped"], TinyEmoji.Splits));
        foreach (var file in Directory.EnumerateFiles(_folder["whole/model"]).Concat(Directory.EnumerateFiles(_folder["whole/checkpoints/step-0000003"])))
            Assert.Equal(Convert.ToHexString(File.ReadAllBytes(file)), Convert.ToHexString(File.ReadAllBytes(file.Replace("whole", "stopped", StringComparison.Ordinal))));
        Assert.True(File.Exists(_folder["whole/checkpoints/step-0000003/discriminator.safetensors"]));
    }

    [Fact]
    public void A_model_is_judged_with_real_pictures_beside_it_and_draws_nothing_twice()
    {
        EmojiStages.Complete(EmojiUnetTraining.Start(_folder["judged/unet"], Options, TinyEmoji.Splits));
        var judging = new EmojiEvaluationOptions(stages.Data, _folder["judged/unet/model"], Path.Combine(stages.Run, "text", "model"), _folder["judged/report"], Count: 16);
        var rows = EmojiEvaluation.Run(judging);

        using var metrics = JsonDocument.Parse(File.ReadAllText(_folder["judged/report/metrics.json"]));
        var sets = metrics.RootElement.GetProperty("sets");
        Assert.Equal(rows.Count, sets.EnumerateObject().Count());
        var seen = sets.GetProperty("seen");
        Assert.InRange(seen.GetProperty("concept_top1").GetDouble(), 0, 1);
        Assert.InRange(seen.GetProperty("real").GetProperty("concept_top1").GetDouble(), 0, 1);
        Assert.All(new[] { "sheet-seen.png", "nearest.png", "report.html" }, file => Assert.True(File.Exists(_folder[$"judged/report/{file}"])));

        var first = Directory.EnumerateFiles(_folder["judged/report/samples/seen"], "*.png").Order(StringComparer.Ordinal).First();
        var drawn = File.GetLastWriteTimeUtc(first);
        EmojiEvaluation.Run(judging);
        Assert.Equal(drawn, File.GetLastWriteTimeUtc(first));
    }

    [Fact]
    public void Steps_are_those_of_one_stage()
    {
        var recipe = new EmojiOptions(stages.Data, Quick: true, Garments: false, Only: "scorer", Steps: 3);
        using (var training = EmojiTraining.Start(_folder["one"], recipe.Checked()))
            Assert.Equal(3, training.Steps);
        Assert.Contains("--only", Assert.Throws<BrumaException>(() => (recipe with { Only = null }).Checked()).Message, StringComparison.Ordinal);
        Assert.Contains("--steps 0", Assert.Throws<BrumaException>(() => (recipe with { Steps = 0 }).Checked()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unfinished_stages_are_named()
    {
        var error = Assert.Throws<BrumaException>(() => EmojiUnetTraining.Start(_folder["elsewhere/unet"], Options with { Stages = _folder.Root }, TinyEmoji.Splits));
        Assert.Contains("finish the stage vae first", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["elsewhere/unet"]));
    }

    [Fact]
    public void The_scorer_is_a_feature_network_that_loads_again()
    {
        using var network = FeatureNetworks.Open(Path.Combine(stages.Run, "text", "model"));
        Assert.Equal("FD-emoji", network.Label("FD"));
        using var scope = NewDisposeScope();
        var batch = network.Compute(network.Prepare(full([3, 128, 128], 200, uint8)).unsqueeze(0));
        Assert.Equal([1, 256], batch.Features.shape);
        Assert.Equal([1, 8], batch.Logits!.shape);
        using var scorer = EmojiScorerFiles.Read(Path.Combine(stages.Run, "text", "model"));
        Assert.Equal(Enumerable.Range(0, 8).Select(TinyEmoji.Code), scorer.Concepts);
    }

    private static List<string> Hashes(string run) =>
        [.. Directory.EnumerateFiles(run, "*.safetensors", SearchOption.AllDirectories).Where(file => file.Contains($"step-{Steps:D7}", StringComparison.Ordinal) || file.Contains("/model/", StringComparison.Ordinal))
            .Select(file => $"{Path.GetRelativePath(run, file)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}").Order(StringComparer.Ordinal)];
}
