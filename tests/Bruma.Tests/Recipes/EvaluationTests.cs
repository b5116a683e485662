using System.Text.Json;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Recipes;
using Bruma.Tests.Support;
using SkiaSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes;

public sealed class EvaluationTests
{
    private static void Pictures(string folder, int count, long seed, int channels = 3)
    {
        Directory.CreateDirectory(folder);
        using var generator = new Generator((ulong)seed, CPU);
        for (var i = 0; i < count; i++)
        {
            using var picture = randint(0, 256, [channels, 20 + i % 3, 24], uint8, generator: generator);
            PngFile.Write(Path.Combine(folder, $"{i:D3}.png"), picture);
        }
    }

    private static JsonElement Run(TemporaryFolder folder, string reference, string samples, string? cache = null, params string[] metrics)
    {
        var output = folder["out/x"][..^2];
        Evaluation.Run(new EvaluationOptions(reference, samples, output, "random:3", metrics, KidSubsets: 5, Cache: cache));
        Assert.True(new FileInfo(Path.Combine(output, "report.html")).Length > 1000);
        return JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "metrics.json"))).RootElement;
    }

    [Fact]
    public void Mixed_sizes_gray_and_transparent_pictures_are_measured_and_broken_ones_named()
    {
        using var folder = new TemporaryFolder();
        Pictures(folder["real/x"][..^2], 12, 1);
        Pictures(folder["fake/x"][..^2], 9, 2, channels: 1);
        File.WriteAllText(folder["fake/broken.png"], "no picture");
        using (var bitmap = new SKBitmap(new SKImageInfo(30, 10, SKColorType.Rgba8888, SKAlphaType.Unpremul)))
        using (var file = File.Create(folder["fake/transparent.png"]))
            bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
        var json = Run(folder, folder["real"], folder["fake"], folder["cache"]);
        Assert.Equal(10, json.GetProperty("count").GetInt32());
        Assert.Contains("broken.png", json.GetProperty("skipped")[0].GetString(), StringComparison.Ordinal);
        Assert.True(json.GetProperty("frechet_inception_distance").GetDouble() > 0);
        Assert.Equal("FD-rand3", json.GetProperty("names").GetProperty("frechet_inception_distance").GetString());
        Assert.True(json.GetProperty("warnings").GetArrayLength() > 0);

        var again = Run(folder, folder["real"], folder["fake"], folder["cache"]); // from the cache, to the bit
        Assert.Equal(json.GetProperty("frechet_inception_distance").GetDouble(), again.GetProperty("frechet_inception_distance").GetDouble());
    }

    [Fact]
    public void Equal_sets_are_copies_at_distance_zero()
    {
        using var folder = new TemporaryFolder();
        Pictures(folder["real/x"][..^2], 12, 1);
        var json = Run(folder, folder["real"], folder["real"], null, "fd", "prc", "copies", "ssim", "psnr");
        Assert.Equal(0, json.GetProperty("frechet_inception_distance").GetDouble(), 6);
        Assert.Equal(1, json.GetProperty("precision").GetDouble());
        Assert.Equal(1, json.GetProperty("copies").GetDouble());
        Assert.Equal(1, json.GetProperty("ssim").GetDouble(), 6);
    }

    [Fact]
    public void One_picture_gives_a_number_and_a_warning()
    {
        using var folder = new TemporaryFolder();
        Pictures(folder["real/x"][..^2], 1, 1);
        Pictures(folder["fake/x"][..^2], 1, 2);
        var json = Run(folder, folder["real"], folder["fake"]);
        Assert.True(json.GetProperty("frechet_inception_distance").GetDouble() > 0);
    }

    [Fact]
    public void What_cannot_be_measured_is_one_sentence()
    {
        using var folder = new TemporaryFolder();
        Pictures(folder["real/x"][..^2], 2, 1);
        Directory.CreateDirectory(folder["empty"]);
        Assert.Contains("no pictures", Assert.Throws<BrumaException>(() => Run(folder, folder["real"], folder["empty"])).Message, StringComparison.Ordinal);
        Assert.Contains("--metrics nonsense", Assert.Throws<BrumaException>(() => Run(folder, folder["real"], folder["real"], null, "nonsense")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stopped_evaluation_leaves_no_result()
    {
        using var folder = new TemporaryFolder();
        Pictures(folder["real/x"][..^2], 3, 1);
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Evaluation.Run(new EvaluationOptions(folder["real"], folder["real"], folder["out"], "random"), cancellationToken: stopped.Token));
        Assert.False(File.Exists(folder["out/metrics.json"]));
    }

    [Fact]
    public void Drawing_that_was_stopped_goes_on_to_the_same_bytes_with_the_steps_that_were_asked_for()
    {
        using var folder = new TemporaryFolder();
        Pictures(folder["real/x"][..^2], 12, 1);
        EvaluationOptions Into(string name) => new(folder["real"], Path.Combine(Repository.Root, "models", "fashion"), folder[name], "random:3", ["fd", "kid"], Count: 40, KidSubsets: 5, Drawing: new DrawSettings(Steps: 2, GuidanceScale: 1, Scheduler: "euler"));
        Assert.Equal("euler, 2 steps, guidance 1, 10 classes in turn", Evaluation.Run(Into("whole")).Settings);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Evaluation.Run(Into("stopped"), progress => Stop(progress, stop), stop.Token));
        var kept = Directory.GetFiles(folder["stopped/samples"], "*.png").Length;
        Assert.InRange(kept, 1, 39);
        Evaluation.Run(Into("stopped"));
        foreach (var name in Directory.GetFiles(folder["whole/samples"], "*.png").Select(Path.GetFileName).Append("../metrics.json"))
            Assert.Equal(FileHash.Sha256(folder[$"whole/samples/{name}"]), FileHash.Sha256(folder[$"stopped/samples/{name}"]));

        static void Stop(EvaluationProgress progress, CancellationTokenSource stop)
        {
            if (progress.Stage == "samples drawn" && progress.Done > 0)
                stop.Cancel();
        }
    }

    [Fact]
    public void Pictures_and_GANs_take_no_steps()
    {
        using var folder = new TemporaryFolder();
        Pictures(folder["real/x"][..^2], 3, 1);
        var options = new EvaluationOptions(folder["real"], folder["real"], folder["out"], "random", Drawing: new DrawSettings(Steps: 4));
        Assert.Contains("--steps", Assert.Throws<BrumaException>(() => Evaluation.Run(options)).Message, StringComparison.Ordinal);
        File.WriteAllText(folder["gan/model_index.json"], """{"_class_name": "BrumaGanPipeline"}""");
        Assert.Contains("--steps", Assert.Throws<BrumaException>(() => Evaluation.Run(options with { Samples = folder["gan"] })).Message, StringComparison.Ordinal);
    }
}
