using Bruma.Adapters;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Recipes.Adaptation;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes;

/// <summary>Short runs on the tiny Stable Diffusion of the reference cases.</summary>
[Collection(TemporaryCache.Variable)]
public sealed class AdaptationTests : IDisposable
{
    public enum LoraParts
    {
        Attention,
        Convolutions,
        TextEncoder,
    }

    private static readonly string Base = Path.Combine(Repository.Goldens, "pipelines", "tiny-sd");

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryCache _cache;
    private readonly string _photos;

    public AdaptationTests()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(1, CPU);
        for (var i = 0; i < 24; i++)
            PngFile.Write(_folder[$"photos/{(i % 2 == 0 ? "red_cat" : "cat")}/{i}.png"], randint(0, 256, [3, 20 + i, 30], int64, generator: random).to(uint8));
        _photos = Path.Combine(_folder.Root, "photos");
        _cache = new TemporaryCache(_folder);
    }

    public void Dispose()
    {
        _cache.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(AdaptationOptions.Lora, 2)]
    [InlineData(AdaptationOptions.TextToImage, 0)]
    [InlineData(AdaptationOptions.TextualInversion, 0)]
    [InlineData(AdaptationOptions.ControlNet, 0)]
    public void A_run_that_was_interrupted_ends_in_the_same_bytes(string recipe, int rank)
    {
        var options = Options(recipe) with { Rank = rank, LoraDropout = rank > 0 ? 0.2 : 0 };
        EndsInTheSameBytes(options, stopAfter: 2); // the third step is lost
    }

    private void EndsInTheSameBytes(AdaptationOptions options, int stopAfter)
    {
        var whole = Finished(AdaptationRun.Start(_folder["whole"], options));
        using (var run = AdaptationRun.Start(_folder["broken"], options))
            Assert.Equal(stopAfter, run.Run().Take(stopAfter).Count());
        var resumed = Finished(AdaptationRun.Resume(_folder["broken"]));
        var files = Directory.EnumerateFiles(whole, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(whole, file)).Where(file => file != "kohya.safetensors").ToList();
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.Equal(FileHash.Sha256(Path.Combine(whole, file)), FileHash.Sha256(Path.Combine(resumed, file))));
    }

    [Fact]
    public void Pictures_that_keep_their_proportions_are_trained_on_shape_by_shape_and_to_the_same_bytes_after_a_resume()
    {
        for (var i = 0; i < 6; i++)
            using (var picture = zeros([3, 30, i % 2 == 0 ? 90 : 32], uint8))
                PngFile.Write(_folder[$"shapes/cat/{i}.png"], picture);
        var options = Options(AdaptationOptions.Lora) with { Rank = 2, Steps = 7, AspectBuckets = true, Data = Path.Combine(_folder.Root, "shapes"), Resolution = 128 };
        using (var run = AdaptationRun.Start(_folder["begun"], options))
            Assert.Contains(run.Introduction, line => line.Contains("128 px in 2 shapes", StringComparison.Ordinal));
        EndsInTheSameBytes(options, stopAfter: 3);
        Assert.Contains("--replay", Assert.Throws<BrumaException>(() => (options with { Replay = _photos }).Checked()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_with_words_for_it_are_also_shown_from_further_away()
    {
        using (var random = new Generator(3, CPU))
            foreach (var folder in new[] { "near", "both" })
                for (var i = 0; i < 4; i++)
                    using (var picture = randint(0, 256, [3, 64, 64], uint8, generator: random))
                        PngFile.Write(_folder[$"{folder}/{i}.png"], picture);
        foreach (var (folder, wide) in new[] { ("near", ""), ("both", ", \"wide_text\": [\"a whole cat\", \"all of a cat\"]") })
            File.WriteAllLines(_folder[$"{folder}/metadata.jsonl"], Enumerable.Range(0, 4).Select(i => $"{{\"file_name\": \"{i}.png\", \"text\": \"a cat\", \"head_box\": [20, 20, 30, 30]{(i < 3 ? wide : "")}}}"));
        var options = Options(AdaptationOptions.Lora) with { Rank = 2, Steps = 6, Data = Path.Combine(_folder.Root, "both") };
        using (var run = AdaptationRun.Start(_folder["begun"], options))
            Assert.Contains(run.Introduction, line => line.StartsWith("3 of them are shown from further away", StringComparison.Ordinal));
        using (var run = AdaptationRun.Start(_folder["plain"], options with { Data = Path.Combine(_folder.Root, "near") }))
            Assert.DoesNotContain(run.Introduction, line => line.Contains("further away", StringComparison.Ordinal));
        EndsInTheSameBytes(options, stopAfter: 3);
    }

    [Fact]
    public void Captions_are_encoded_once_and_read_from_disk_to_the_same_bits()
    {
        var options = Options(AdaptationOptions.Lora) with { Rank = 2 };
        var first = Finished(AdaptationRun.Start(_folder["first"], options));
        var texts = Directory.EnumerateFiles(Path.Combine(UserCache.Root, "texts"), "*.safetensors", SearchOption.AllDirectories).ToDictionary(file => file, File.GetLastWriteTimeUtc);
        Assert.InRange(texts.Count, 2, 3); // two captions, and the empty one where it was drawn
        var damaged = texts.Keys.First();
        File.WriteAllText(damaged, "no file of weights");
        var second = Finished(AdaptationRun.Start(_folder["second"], options));
        Assert.Equal(FileHash.Sha256(Path.Combine(first, "pytorch_lora_weights.safetensors")), FileHash.Sha256(Path.Combine(second, "pytorch_lora_weights.safetensors")));
        Assert.All(texts.Where(text => text.Key != damaged), text => Assert.Equal(text.Value, File.GetLastWriteTimeUtc(text.Key)));
        Assert.True(new FileInfo(damaged).Length > 100); // written anew
    }

    [Theory]
    [InlineData("fp32")]
    [InlineData("bf16")]
    public void What_a_LoRA_has_learned_is_seen_when_it_is_watched(string precision)
    {
        var options = Options(AdaptationOptions.Lora) with { Rank = 2, LearningRate = 0.05, ValidationShare = 0.4, Precision = precision, Targets = [.. LoraTargets.Attention, "proj_in", "proj_out"] };
        Finished(AdaptationRun.Start(_folder["run"], options));
        var losses = RunFolder.Open(_folder["run"]).ReadStats("validation_loss").Select(row => row[0]).Where(double.IsFinite).ToList();
        Assert.Equal(2, losses.Distinct().Count());
    }

    [Fact]
    public void The_best_step_may_be_chosen_by_samples()
    {
        var options = Options(AdaptationOptions.Lora) with { Rank = 2, ValidationShare = 0.4, EvaluateSamples = 2, ChooseBy = AdaptationOptions.ByKid, EvaluateFeatures = "random:3" };
        var model = Finished(AdaptationRun.Start(_folder["run"], options));
        var rows = RunFolder.Open(_folder["run"]).ReadStats("step", "kid", "copies", "validation_loss").Where(row => double.IsFinite(row[1])).ToList();
        Assert.Equal([2, 4], rows.Select(row => row[0]));
        using var file = new SafetensorsFile(Path.Combine(model, "pytorch_lora_weights.safetensors"));
        Assert.Equal($"{rows.MinBy(row => row[1])![0]}", file.Metadata["bruma_step"]);
        using (var broken = AdaptationRun.Start(_folder["broken"], options))
            Assert.Equal(3, broken.Run().Take(3).Count());
        var resumed = Finished(AdaptationRun.Resume(_folder["broken"]));
        Assert.Equal(FileHash.Sha256(Path.Combine(model, "pytorch_lora_weights.safetensors")), FileHash.Sha256(Path.Combine(resumed, "pytorch_lora_weights.safetensors")));
        Assert.Contains("--evaluate-samples", Assert.Throws<BrumaException>(() => AdaptationRun.Start(_folder["none"], options with { ValidationShare = 0 }).Dispose()).Message);
        Assert.False(Directory.Exists(_folder["none"]));
    }

    [Theory]
    [InlineData(LoraParts.Attention)]
    [InlineData(LoraParts.Convolutions)]
    [InlineData(LoraParts.Convolutions, true)]
    [InlineData(LoraParts.TextEncoder)]
    public void Gradient_checkpointing_changes_no_bit(LoraParts parts, bool dora = false)
    {
        var options = Options(AdaptationOptions.Lora) with
        {
            Rank = 2,
            LoraDropout = 0.2,
            UseDora = dora,
            TrainTextEncoder = parts == LoraParts.TextEncoder,
            Targets = parts == LoraParts.Convolutions ? [.. LoraTargets.Attention, "conv1", "conv2", "conv_shortcut", "downsamplers.0.conv"] : LoraTargets.Attention,
        };
        var (plain, checkpointed) = (Finished(AdaptationRun.Start(_folder["a"], options)), Finished(AdaptationRun.Start(_folder["b"], options with { GradientCheckpointing = true })));
        using var scope = NewDisposeScope();
        using var first = new SafetensorsFile(Path.Combine(plain, "pytorch_lora_weights.safetensors"));
        using var second = new SafetensorsFile(Path.Combine(checkpointed, "pytorch_lora_weights.safetensors"));
        Assert.Contains(first.Tensors.Keys, key => key.Contains(parts switch { LoraParts.Convolutions => "conv1", LoraParts.TextEncoder => "text_encoder", _ => "to_q" }, StringComparison.Ordinal));
        Assert.Empty(first.Tensors.Keys.Where(key => !first.Read(key).eq(second.Read(key)).all().item<bool>()).Take(5));
    }

    [Fact]
    public void Both_LoRA_files_of_a_run_say_the_same_and_can_be_baked_and_extracted()
    {
        var run = Finished(AdaptationRun.Start(_folder["run"], Options(AdaptationOptions.Lora) with { Rank = 2, Alpha = 3, LearningRate = 0.01 }));
        using (var scope = NewDisposeScope())
        using (var model = BaseModel.Load(Base))
        using (var diffusers = LoraFile.Load(run, model.Components))
        using (var kohya = LoraFile.Load(Path.Combine(run, "kohya.safetensors"), model.Components))
            foreach (var (one, other) in diffusers.Updates.OrderBy(update => update.Layer, StringComparer.Ordinal).Zip(kohya.Updates.OrderBy(update => update.Layer, StringComparer.Ordinal)))
            {
                var weight = model.Network.get_parameter($"{one.Layer}.weight")!;
                Assert.True(one.Delta(weight).allclose(other.Delta(weight), 1e-4, 1e-7));
            }

        AdapterFiles.Bake(Base, [(run, 1)], _folder["baked"]);
        var lines = AdapterFiles.Extract(_folder["baked"], Base, 8, _folder["again.safetensors"]).ToList();
        Assert.Single(lines);
        AdapterFiles.Bake(Base, [(_folder["again.safetensors"], 1)], _folder["twice"]);
        using var a = ModelFolder.Open(Path.Combine(_folder["baked"], "unet"));
        using var b = ModelFolder.Open(Path.Combine(_folder["twice"], "unet"));
        using var rest = NewDisposeScope();
        Assert.All(a.Tensors.Keys, key => Assert.True(a.Read(key, float32).allclose(b.Read(key, float32), 1e-2, 1e-3), key));
    }

    [Fact]
    public void DreamBooth_keeps_the_class_and_replay_the_base()
    {
        var options = Options(AdaptationOptions.DreamBooth) with { InstancePrompt = "a photo of sks cat", ClassPrompt = "a photo of a cat", ClassImages = 2, SampleEvery = 4, Data = Path.Combine(_photos, "red_cat"), Replay = _photos, ReplayShare = 0.5 };
        var model = Finished(AdaptationRun.Start(_folder["run"], options));
        Assert.True(File.Exists(Path.Combine(_folder["run"], "learned.png")) && File.Exists(Path.Combine(_folder["run"], "learned.webp")));
        Assert.Equal(2, Directory.EnumerateFiles(Path.Combine(UserCache.Root, "class-pictures"), "*.png", SearchOption.AllDirectories).Count());
        using var loaded = BaseModel.Load(model);
        Assert.NotEqual(FileHash.Sha256(ModelFolder.FindWeights(Path.Combine(Base, "unet"))), loaded.Sha256());
    }

    [Fact]
    public void Class_pictures_are_drawn_with_the_guidance_that_the_model_names()
    {
        AtomicFile.CopyFolder(Base, _folder["base"]);
        var options = Options(AdaptationOptions.DreamBooth) with { InstancePrompt = "a photo of sks cat", ClassPrompt = "a photo of a cat", ClassImages = 1, Steps = 1 };
        foreach (var (folder, scale) in new[] { ("plain", 1.0), ("guided", 9.0) })
        {
            new ModelDefaults(Steps: 2, GuidanceScale: scale).Write(_folder["base"]);
            AdaptationRun.Start(_folder[folder], options with { Model = _folder["base"] }).Dispose();
        }
        var drawn = Directory.EnumerateFiles(Path.Combine(UserCache.Root, "class-pictures"), "*.png", SearchOption.AllDirectories).Select(File.ReadAllBytes).ToList();
        Assert.Equal(2, drawn.Count);
        Assert.NotEqual(drawn[0], drawn[1]);
    }

    [Fact]
    public void A_ControlNet_is_trained_beside_the_base_and_loads_where_it_is_used()
    {
        var options = Options(AdaptationOptions.ControlNet) with { SampleEvery = 4, ValidationShare = 0.2 };
        var (plain, checkpointed) = (Finished(AdaptationRun.Start(_folder["a"], options)), Finished(AdaptationRun.Start(_folder["b"], options with { GradientCheckpointing = true })));
        Assert.Equal(FileHash.Sha256(ModelFolder.FindWeights(plain)), FileHash.Sha256(ModelFolder.FindWeights(checkpointed)));
        using (var control = ControlNetModel.Load(plain))
        {
            Assert.Equal([16, 32, 96, 256], control.Config.ConditioningEmbeddingOutChannels);
            Assert.NotEqual(0, control.get_parameter("controlnet_mid_block.weight")!.abs().sum().item<float>());
        }
        using var scope = NewDisposeScope();
        Assert.Equal(2 + 8 * (64 + 2), ImageFile.Load(_folder["a/samples/step-0000004.png"]).shape[2]); // four outlines, each beside a picture
    }

    [Fact]
    public void A_ControlNet_may_see_pictures_of_the_users_own()
    {
        using (var scope = NewDisposeScope())
            PngFile.Write(_folder["photos/depth.png"], full([3, 50, 60], 128, uint8));
        var rows = Directory.EnumerateFiles(_photos, "*.png", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(_photos, file)).Where(file => file != "depth.png").Order(StringComparer.Ordinal)
            .Select(file => $"{{\"file_name\": \"{file}\", \"text\": \"a cat\"{(file == "cat/1.png" ? "" : ", \"conditioning_image\": \"depth.png\"")}}}");
        File.WriteAllLines(_folder["photos/metadata.jsonl"], rows);
        using var run = AdaptationRun.Start(_folder["run"], Options(AdaptationOptions.ControlNet) with { Steps = 1 });
        Assert.Contains(run.Introduction, line => line.Contains("cat/1.png: has no \"conditioning_image\"", StringComparison.Ordinal));
        Assert.Contains(run.Introduction, line => line.Contains("steered by: the pictures", StringComparison.Ordinal));
        Assert.Single(run.Run());
    }

    [Fact]
    public void Steps_of_a_ControlNet_leave_nothing_behind()
    {
        using var run = AdaptationRun.Start(_folder["run"], Options(AdaptationOptions.ControlNet) with { Steps = 9, CheckpointEvery = 100 });
        Leaks.NoneOver(run.Run().Take(8)); // the last one is saved
    }

    [Theory]
    [InlineData("rank", "wide")]
    [InlineData("target", "--targets")]
    [InlineData("base", "no model folder")]
    [InlineData("captions", "captions")]
    [InlineData("word", "--initializer-token")]
    [InlineData("frozen", "--train-text-encoder")]
    public void What_cannot_be_trained_is_refused_before_anything_is_written(string what, string reason)
    {
        var lora = Options(AdaptationOptions.Lora) with { Rank = 2 };
        var options = what switch
        {
            "rank" => lora with { Rank = 4096 },
            "target" => lora with { Targets = ["nowhere"] },
            "base" => lora with { Model = _photos },
            "frozen" => Options(AdaptationOptions.ControlNet) with { TrainTextEncoder = true },
            "captions" => lora with { Data = Path.Combine(_photos, "cat") },
            _ => Options(AdaptationOptions.TextualInversion) with { InitializerToken = "extraordinarily unusual" },
        };
        var error = Assert.Throws<BrumaException>(() => AdaptationRun.Start(_folder["run"], options.Checked()).Dispose());
        Assert.Contains(reason, error.Message);
        Assert.False(File.Exists(Path.Combine(_folder["run"], "config.json")));
    }

    [Fact]
    public void A_new_word_for_a_style_stands_behind_the_captions()
    {
        var thing = Options(AdaptationOptions.TextualInversion) with { Steps = 1, SampleEvery = 1 };
        double FirstLoss(string name, string property)
        {
            using var run = AdaptationRun.Start(_folder[name], (thing with { LearnableProperty = property }).Checked());
            var loss = run.Run().Single().Loss;
            var asked = PictureText.Read(Path.Combine(_folder[name], "samples", "step-0000001.png"))["prompts"];
            Assert.All(asked.Split('\n'), prompt => Assert.Contains(thing.PlaceholderToken!, prompt, StringComparison.Ordinal)); // what is looked at has the new word
            return loss;
        }
        Assert.NotEqual(FirstLoss("thing", "object"), FirstLoss("style", "style"), 1e-7);
        Assert.Contains("--learnable-property", Assert.Throws<BrumaException>(() => (thing with { LearnableProperty = "mood" }).Checked()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_are_fixed_by_the_names()
    {
        var parts = Enumerable.Range(0, 1000).GroupBy(i => HashedParts.Of($"Bengal/Bengal_{i}.jpg", 0.1)).ToDictionary(group => group.Key, group => group.Count());
        Assert.InRange(parts[DataPart.Test], 150, 250);
        Assert.InRange(parts[DataPart.Validation], 60, 140);
        Assert.Equal(DataPart.Training, HashedParts.Of("Bengal/Bengal_1.jpg", 0));
    }

    private AdaptationOptions Options(string recipe) => new(recipe, Base, _photos, Steps: 4, BatchSize: 2, Resolution: 64, LearningRate: 1e-3, CheckpointEvery: 2, SampleEvery: 0, Seed: 7,
        PlaceholderToken: recipe == AdaptationOptions.TextualInversion ? "<mycat>" : null, InitializerToken: recipe == AdaptationOptions.TextualInversion ? "cat" : null, Vectors: recipe == AdaptationOptions.TextualInversion ? 2 : 1)
    { ReportSamples = 0 };

    private static string Finished(AdaptationRun run)
    {
        using (run)
        {
            Assert.All(run.Run(), report => Assert.True(double.IsFinite(report.Loss)));
            Assert.NotEmpty(run.Finish().ToList());
            return Path.Combine(run.Folder, "model");
        }
    }
}
