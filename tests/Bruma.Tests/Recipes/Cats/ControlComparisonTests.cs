using System.Text.Json;
using Bruma.Recipes.Adaptation;
using Bruma.Recipes.Cats;
using Bruma.Tests.Support;

namespace Bruma.Tests.Recipes.Cats;

/// <summary>Controls of a barely trained run on small squares in two colours: what is asked, drawn and written.</summary>
[Collection(TemporaryCache.Variable)]
public sealed class ControlComparisonTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryCache _cache;

    public ControlComparisonTests()
    {
        ColouredPhotos.Write(_folder, i => $"{i}.png");
        File.WriteAllLines(_folder["photos/metadata.jsonl"], Enumerable.Range(0, ColouredPhotos.Count).Select(i => (i, colour: ColouredPhotos.ColourOf(i))).Select(photo =>
            $$"""{"file_name": "{{photo.i}}.png", "text": "a photo of a {{photo.colour}} cat", "class": "{{photo.colour}}", "coat": "{{photo.colour}}", "head_box": [20, 20, 44, 44], "wide_text": "a photo of a whole {{photo.colour}} cat"}"""));
        _cache = new TemporaryCache(_folder);
    }

    public void Dispose()
    {
        _cache.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Every_control_is_drawn_measured_and_written()
    {
        Train("run", AdaptationOptions.Lora);
        Train("outline", AdaptationOptions.ControlNet);
        var output = Path.Combine(_folder.Root, "control");
        var sections = ControlComparison.Run(output, new ControlOptions(_folder["run"], _folder["outline"], Samples: 4, Steps: 2, Features: "random:3"));

        Assert.Equal(["guidance", "languages", "coat", "framing", "start", "inpainting", "outlines"], sections.Select(section => section.Key));
        Assert.Equal(["1", "2", "3", "4", "6", "8"], sections[0].Rows.Select(row => row.Setting));
        Assert.All(sections, section => Assert.True(File.Exists(Path.Combine(output, $"{section.Key}.png"))));
        Assert.Equal(["green", "red"], sections[2].Rows.Select(row => row.Setting).Order(StringComparer.Ordinal));
        Assert.All(sections[2].Rows, row => Assert.Equal(0.5, row.Values[2])); // half of the photos
        Assert.Equal(["close-up", "whole", "without asking"], sections[3].Rows.Select(row => row.Setting));
        Assert.Contains("its mean error", sections[3].Explanation, StringComparison.OrdinalIgnoreCase);
        Assert.InRange(sections[4].Rows[^1].Values[0]!.Value, 1e-6, 2); // a cosine distance from the start
        Assert.Equal(2, sections[5].Rows.Count);
        using var table = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "table.json")));
        Assert.Equal(sections.Select(section => section.Key), table.RootElement.GetProperty("sections").EnumerateObject().Select(section => section.Name));
        Assert.True(File.Exists(Path.Combine(output, "guidance-curve.png")));
        Assert.All(sections[6].Rows.SelectMany(row => row.Values), f1 => Assert.InRange(f1!.Value, 0, 1));
        Assert.False(File.Exists(_folder["outline/report.html"])); // the run's own report would be of other samples

        void Train(string folder, string recipe)
        {
            using var run = AdaptationRun.Start(_folder[folder], new AdaptationOptions(recipe, Path.Combine(Repository.Goldens, "pipelines", "tiny-sd"), Path.Combine(_folder.Root, "photos"), Steps: 1, BatchSize: 2, Resolution: 64, Rank: recipe == AdaptationOptions.Lora ? 2 : 0, SampleEvery: 0) { ReportSamples = 0 });
            Assert.Single(run.Run());
            Assert.NotEmpty(run.Finish().ToList());
        }
    }
}
