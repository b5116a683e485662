using System.Text.Json;
using Bruma.Imaging;
using Bruma.Recipes.Adaptation;
using Bruma.Recipes.Cats;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes.Cats;

/// <summary>The comparison on small squares in two colours, with the tiny Stable Diffusion of the reference cases.</summary>
[Collection("BRUMA_CACHE")] // one variable of the process: one class at a time
public sealed class CatComparisonTests : IDisposable
{
    private const int Photos = 40;

    private readonly TemporaryFolder _folder = new();
    private readonly CatComparisonOptions _options;

    public CatComparisonTests()
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < Photos; i++)
        {
            var picture = full([3, 64, 64], 40 + i, uint8);
            picture[i % 2].fill_(220);
            PngFile.Write(_folder[$"photos/{(i % 2 == 0 ? "red" : "green")}/{i}.png"], picture);
        }
        _options = new CatComparisonOptions(Path.Combine(_folder.Root, "photos"), Path.Combine(Repository.Goldens, "pipelines", "tiny-sd"), [CatComparisonOptions.Gan, CatComparisonOptions.Lora],
            Minutes: 0.04, Samples: 4, BatchSize: 2, Rank: 2, Features: "random:3");
        Environment.SetEnvironmentVariable("BRUMA_CACHE", Path.Combine(_folder.Root, "cache"));
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("BRUMA_CACHE", null);
        _folder.Dispose();
    }

    [Fact]
    public void Every_method_is_trained_on_the_training_part_measured_and_shown()
    {
        var output = Path.Combine(_folder.Root, "compared");
        var findings = CatComparison.Run(output, _options);

        Assert.Equal(["test photos", "r3gan", "base", "lora"], findings.Rows.Select(row => row.Name));
        Assert.Equal(1, findings.Rows[0].Breed); // red and green are told apart
        Assert.All(findings.Rows.Where(row => row.Seconds > 0), row => Assert.True(row.ImagesSeen > 0));
        var names = Enumerable.Range(0, Photos).Select(i => $"{(i % 2 == 0 ? "red" : "green")}/{i}.png").ToList();
        Assert.Equal(names.Count(name => HashedParts.Of(name, 0.1) == DataPart.Training), Directory.EnumerateFiles(Path.Combine(output, "photos"), "*.png", SearchOption.AllDirectories).Count());
        using var table = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "table.json")));
        Assert.Equal(findings.Rows.Select(row => row.Name), table.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("name").GetString()!));
        Assert.Contains("sheet.png", File.ReadAllText(Path.Combine(output, "report.html")), StringComparison.Ordinal);
        using var sheet = ImageFile.Load(Path.Combine(output, "sheet.png"));
        Assert.True(sheet.shape[2] > 4 * 128); // four columns
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(output, "runs"), ".trial*"));
    }

    [Theory]
    [InlineData("lora,lora", "each once")]
    [InlineData("replay", "--replay")]
    [InlineData("magic", "diffusion,r3gan,full,replay,lora")]
    public void What_cannot_be_compared_is_refused(string methods, string expected) =>
        Assert.Contains(expected, Assert.Throws<BrumaException>(() => (_options with { Methods = methods.Split(',') }).Checked()).Message, StringComparison.Ordinal);
}
