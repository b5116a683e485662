using System.Text.Json;
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
}
