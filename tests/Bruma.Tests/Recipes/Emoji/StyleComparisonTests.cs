using System.Text.Json;
using Bruma.Imaging;
using Bruma.Recipes.Adaptation;
using Bruma.Recipes.Emoji;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes.Emoji;

/// <summary>A barely trained run on two pictures of a ninth style, judged on concepts that it never saw.</summary>
[Collection(TemporaryCache.Variable)]
public sealed class StyleComparisonTests : IClassFixture<EmojiStages>, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryCache _cache;
    private readonly EmojiStages _stages;

    public StyleComparisonTests(EmojiStages stages) => (_stages, _cache) = (stages, new TemporaryCache(_folder));

    public void Dispose()
    {
        _cache.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Concepts_that_the_run_never_saw_are_drawn_and_judged_beside_the_base_and_real_ones()
    {
        var options = Options(0, 1);
        var output = Path.Combine(_folder.Root, "style");
        var findings = StyleComparison.Run(output, options);

        Assert.Equal("openmoji", findings.Style);
        Assert.Equal(["the base", "run", "real, through the autoencoder", "real"], findings.Rows.Select(row => row.Name));
        Assert.All(findings.Rows, row => Assert.InRange(row.Top5, row.Top1, 1));
        Assert.True(findings.Rows[^1].Kid < findings.Rows[0].Kid); // real pictures of the style against those of a model of noise
        Assert.InRange(findings.JudgeAccuracy, 0, 1);
        var prompts = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "samples", "run", "drawn.json"))).RootElement.GetProperty("origin").GetString()!.Split('\n')[1..];
        Assert.All(prompts, prompt => Assert.EndsWith(", openmoji style", prompt, StringComparison.Ordinal));
        Assert.DoesNotContain(prompts, prompt => prompt.StartsWith("cat,", StringComparison.Ordinal) || prompt.StartsWith("dog,", StringComparison.Ordinal)); // what it was trained on
        using var table = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "table.json")));
        Assert.Equal(prompts.Length, table.RootElement.GetProperty("samples").GetInt32());
        using var sheet = ImageFile.Load(Path.Combine(output, "sheet.png"));
        Assert.True(sheet.shape[1] > 4 * 128); // four rows
        Assert.Contains("sheet.png", File.ReadAllText(Path.Combine(output, "report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_style_of_the_base_that_has_none_of_the_concepts_is_no_hindrance()
    {
        var options = Options(0, 1) with { Known = TinyEmoji.Write(_folder, "known", ["noto", "twemoji", "fluent"], drawn: 2), Samples = 2 };
        var findings = StyleComparison.Run(Path.Combine(_folder.Root, "style"), options);
        Assert.InRange(findings.JudgeAccuracy, 0, 1);
        Assert.InRange(findings.FalseAlarms, 0, 1);
    }

    [Fact]
    public void A_run_that_saw_every_concept_is_refused()
    {
        var options = Options([.. Enumerable.Range(0, 8)]);
        Assert.Contains("leaves 0 concepts", Assert.Throws<BrumaException>(() => StyleComparison.Run(Path.Combine(_folder.Root, "style"), options)).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder.Root, "style")));
    }

    /// <summary>A run of one step on these concepts.</summary>
    private StyleOptions Options(params int[] concepts)
    {
        using var scope = NewDisposeScope();
        foreach (var concept in concepts)
            PngFile.Write(_folder[$"pictures/openmoji/{TinyEmoji.Code(concept)}.png"], full([3, 64, 64], 20 * concept, uint8));
        var adaptation = new AdaptationOptions(AdaptationOptions.Lora, Path.Combine(Repository.Goldens, "pipelines", "tiny-sd"), Path.Combine(_folder.Root, "pictures"), Steps: 1, BatchSize: 2, Resolution: 64, Rank: 2, SampleEvery: 0) { ReportSamples = 0 };
        using (var run = AdaptationRun.Start(_folder["run"], adaptation))
        {
            Assert.Single(run.Run());
            Assert.NotEmpty(run.Finish().ToList());
        }
        return new StyleOptions(_folder["run"], TinyEmoji.Write(_folder, "style-data", "openmoji"), _stages.Data, Path.Combine(_stages.Run, "text", "model"), Samples: 4, JudgeConcepts: 4, Features: "random:3");
    }
}
