using System.Text.Json;
using Bruma.Imaging;
using Bruma.Recipes.Adaptation;
using Bruma.Recipes.Cats;
using Bruma.Tests.Support;

namespace Bruma.Tests.Recipes.Cats;

/// <summary>The comparison on small squares in two colours, with the tiny Stable Diffusion of the reference cases.</summary>
[Collection(TemporaryCache.Variable)]
public sealed class CatComparisonTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryCache _cache;
    private readonly CatComparisonOptions _options;

    public CatComparisonTests()
    {
        _options = new CatComparisonOptions(ColouredPhotos.Write(_folder, Name), Path.Combine(Repository.Goldens, "pipelines", "tiny-sd"), [CatComparisonOptions.Gan, CatComparisonOptions.Lora],
            Minutes: 0.04, Samples: 4, BatchSize: 2, Rank: 2, Features: "random:3");
        _cache = new TemporaryCache(_folder);
    }

    public void Dispose()
    {
        _cache.Dispose();
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
        var names = Enumerable.Range(0, ColouredPhotos.Count).Select(Name).ToList();
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

    private static string Name(int i) => $"{ColouredPhotos.ColourOf(i)}/{i}.png";
}
