using System.Text.Json;
using System.Text.Json.Nodes;
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
        Assert.Contains("report/steered.png", File.ReadAllText(_folder["run/report.html"]));
        Assert.True(File.Exists(_folder["run/report/steered.png"]) && File.Exists(_folder["run/report/worst.png"]) && File.Exists(_folder["run/report/nearest.png"]) && File.Exists(_folder["run/report/curves.png"]));
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
    public void A_model_without_its_run_is_reported_on_beside_what_it_builds_on()
    {
        WritePhotos(22);
        var tiny = Path.Combine(Repository.Goldens, "pipelines", "tiny-sd");
        CopyUnet(tiny);
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(tiny, "model_index.json")))!;
        index["_bruma_base"] = Path.GetRelativePath(_folder["model"], tiny);
        File.WriteAllText(_folder["model/model_index.json"], index.ToJsonString());

        AdaptationReport.Write(new AdaptationReportOptions(_folder["model"], Count: 3, Features: "random:3", Data: _folder["photos"], Output: _folder["out"]));

        using var json = JsonDocument.Parse(File.ReadAllText(_folder["out/report/metrics.json"]));
        var kid = json.RootElement.GetProperty(MeasuredSet.Samples).GetProperty(SetComparison.KidMean).GetProperty("value").GetDouble();
        Assert.Equal(kid, json.RootElement.GetProperty(MeasuredSet.Base).GetProperty(SetComparison.KidMean).GetProperty("value").GetDouble()); // the same weights, the same seeds
        Assert.Contains($"--data {_folder["photos"]}", File.ReadAllText(_folder["out/report.html"]), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["model/report"]));
    }

    [Fact]
    public void What_cannot_be_compared_is_said_in_one_sentence()
    {
        WritePhotos(3);
        CopyUnet(Path.Combine(Repository.Goldens, "pipelines", "tiny-sd"));
        File.WriteAllText(_folder["model/model_index.json"], """{"_class_name": "StableDiffusionPipeline"}""");
        Assert.Contains("say with --data", Refused(new AdaptationReportOptions(_folder["model"])), StringComparison.Ordinal);
        Assert.Contains("names no model that it builds on", Refused(new AdaptationReportOptions(_folder["model"], Data: _folder["photos"], Output: _folder["out"])), StringComparison.Ordinal);
        Assert.Contains("no run there", Refused(new AdaptationReportOptions(_folder["photos"])), StringComparison.Ordinal);
        Assert.Contains("neither a run nor a model", Refused(new AdaptationReportOptions(_folder["photos"], Data: _folder["photos"])), StringComparison.Ordinal);
        File.WriteAllText(_folder["model/model_index.json"], """{"_class_name": "StableDiffusionPipeline", "_bruma_base": "../photos"}""");
        File.WriteAllText(_folder["model/bruma.json"], """{"size": 64}""");
        Assert.Contains("say with --output", Refused(new AdaptationReportOptions(_folder["model"], Data: _folder["photos"])), StringComparison.Ordinal);
    }

    [Fact]
    public void The_verdict_compares_with_the_base_with_photos_and_with_the_autoencoder()
    {
        static MeasuredSet Set(string key, double kid, double coverage, double copies) =>
            new(key, key, 78, new Dictionary<string, Measured> { [SetComparison.KidMean] = new(kid), ["coverage"] = new(coverage), ["copies"] = new(copies) });
        MeasuredSet[] sets = [Set(MeasuredSet.Samples, 0.1, 0.6, 0.1), Set(MeasuredSet.Test, 0, 0.63, 0), Set(MeasuredSet.Base, 0.4, 0.1, 0), Set(MeasuredSet.Reconstructions, 0.08, 0.5, 0)];
        var verdict = AdaptationVerdict.Of(sets).ToList();
        Assert.Contains("removed 75 %", verdict[0]);
        Assert.Contains("so 80 % of it stays", verdict[0]);
        Assert.Contains("makes it smaller", AdaptationVerdict.Of([Set(MeasuredSet.Samples, 0.08, 0.6, 0), sets[3]]).First());
        Assert.Contains("about as varied", verdict[1]);
        Assert.Contains("10 % of the samples", verdict[2]);
        Assert.Contains("too many", verdict[2]);
        Assert.Equal(3, verdict.Count);

        var steered = AdaptationVerdict.Of(sets, steered: true, new OutlineFindings((0.7, 0.4), (0.4, 0.4))).ToList();
        Assert.Contains("without these pictures to steer it has 0.400", steered[0]);
        Assert.DoesNotContain("training", steered[0]);
        Assert.Contains("samples follow it", steered[3]);
    }

    private static string Refused(AdaptationReportOptions options) => Assert.Throws<BrumaException>(() => AdaptationReport.Write(options)).Message;

    private void CopyUnet(string model)
    {
        Directory.CreateDirectory(_folder["model/unet"]);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(model, "unet")))
            File.Copy(file, Path.Combine(_folder["model/unet"], Path.GetFileName(file)));
    }

    private void WritePhotos(int count)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(1, CPU);
        for (var i = 0; i < count; i++)
            PngFile.Write(_folder[$"photos/cat/{i}.png"], randint(0, 256, [3, 20 + i, 30], int64, generator: random).to(uint8));
    }

    private JsonElement Reported(string recipe, int photos)
    {
        WritePhotos(photos);
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
