using System.Text.Json;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Recipes.Adaptation;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes;

[Collection(TemporaryCache.Variable)]
public sealed class AdaptationReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryCache _cache;

    public AdaptationReportTests() => _cache = new TemporaryCache(_folder);

    public void Dispose()
    {
        _cache.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_run_with_test_photos_gets_every_row_and_a_ControlNet_its_outlines()
    {
        var json = Reported(AdaptationOptions.ControlNet, photos: 28);
        foreach (var row in new[] { MeasuredSet.Samples, MeasuredSet.Test, MeasuredSet.Reference, MeasuredSet.Base, MeasuredSet.Reconstructions })
            Assert.True(json.GetProperty(row).GetProperty(SetComparison.KidMean).TryGetProperty("value", out _), row);
        Assert.Equal(1, json.GetProperty(MeasuredSet.Reference).GetProperty("copies").GetProperty("value").GetDouble());
        Assert.InRange(json.GetProperty("outlines").GetProperty("samples").GetProperty("f1_asked").GetDouble(), 0, 1);
        Assert.Contains("report/samples.png", File.ReadAllText(_folder["run/report.html"]));
        Assert.True(File.Exists(_folder["run/report/worst.png"]) && File.Exists(_folder["run/report/nearest.png"]) && File.Exists(_folder["run/report/curves.png"]));
    }

    [Fact]
    public void Three_photos_are_enough_for_a_report_that_says_what_is_missing()
    {
        var json = Reported(AdaptationOptions.Lora, photos: 3);
        Assert.False(json.TryGetProperty(MeasuredSet.Test, out _));
        Assert.Contains(json.GetProperty("notes").EnumerateArray(), note => note.GetString()!.StartsWith("No photos were kept for a test (3 photos", StringComparison.Ordinal));
        Assert.NotEmpty(json.GetProperty("verdict").EnumerateArray());
    }

    [Fact]
    public void The_verdict_compares_with_the_base_with_photos_and_with_the_autoencoder()
    {
        static MeasuredSet Set(string key, double kid, double coverage, double copies) =>
            new(key, key, 78, new Dictionary<string, Measured> { [SetComparison.KidMean] = new(kid), ["coverage"] = new(coverage), ["copies"] = new(copies) });
        var verdict = AdaptationVerdict.Of([Set(MeasuredSet.Samples, 0.1, 0.6, 0.1), Set(MeasuredSet.Test, 0, 0.63, 0), Set(MeasuredSet.Base, 0.4, 0.1, 0), Set(MeasuredSet.Reconstructions, 0.08, 0.5, 0)], new OutlineFindings((0.7, 0.4), (0.4, 0.4))).ToList();
        Assert.Contains("removed 75 %", verdict[0]);
        Assert.Contains("a good part of what is missing", verdict[0]);
        Assert.Contains("about as varied", verdict[1]);
        Assert.Contains("10 % of the samples", verdict[2]);
        Assert.Contains("too many", verdict[2]);
        Assert.Contains("samples follow it", verdict[3]);
    }

    private JsonElement Reported(string recipe, int photos)
    {
        using (var scope = NewDisposeScope())
        {
            using var random = new Generator(1, CPU);
            for (var i = 0; i < photos; i++)
                PngFile.Write(_folder[$"photos/cat/{i}.png"], randint(0, 256, [3, 20 + i, 30], int64, generator: random).to(uint8));
        }
        var options = new AdaptationOptions(recipe, Path.Combine(Repository.Goldens, "pipelines", "tiny-sd"), Path.Combine(_folder.Root, "photos"), Steps: 2, BatchSize: 2, Resolution: 64,
            Rank: recipe == AdaptationOptions.Lora ? 2 : 0, CaptionTemplate: "a cat", CheckpointEvery: 2, SampleEvery: 0, Seed: 7);
        using (var run = AdaptationRun.Start(_folder["run"], options))
        {
            Assert.Equal(2, run.Run().Count());
            Assert.NotEmpty(run.Finish().ToList());
        }
        AdaptationReport.Write(new AdaptationReportOptions(_folder["run"], Count: 3, Features: "random:3"));
        return JsonDocument.Parse(File.ReadAllText(_folder["run/report/metrics.json"])).RootElement;
    }
}
