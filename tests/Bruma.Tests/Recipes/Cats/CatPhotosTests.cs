using System.Text.Json;
using Bruma.Data;
using Bruma.Imaging;
using Bruma.Recipes.Adaptation;
using Bruma.Recipes.Cats;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes.Cats;

public sealed class CatPhotosTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Captions_name_breed_coat_and_background_as_the_pixels_have_them()
    {
        Photo("Bengal/one.png", (120, 85, 60), (95, 185, 85));
        Photo("Bengal/two.png", (20, 20, 20), (240, 240, 240));
        Photo("dog/three.png", (20, 20, 20), (240, 240, 240));
        File.WriteAllLines(_folder["photos/metadata.jsonl"],
        [
            """{"file_name": "Bengal/one.png", "breed": "Bengal", "species": "cat", "head_box": [10, 10, 50, 50]}""",
            """{"file_name": "Bengal/two.png", "breed": "Bengal", "species": "cat"}""",
            """{"file_name": "dog/three.png", "breed": "Pug", "species": "dog"}""",
        ]);

        Assert.Equal(2, CatPhotos.Build(_folder["photos"], _folder["cats"]));

        var rows = File.ReadAllLines(_folder["cats/metadata.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(["brown", "black"], rows.Select(row => row.GetProperty("coat").GetString()));
        Assert.Equal(["green", "white"], rows.Select(row => row.GetProperty("background").GetString()));
        var cats = ImageSource.Open(_folder["cats"]);
        Assert.Equal(["Bengal/one.png", "Bengal/two.png"], cats.Examples.Select(example => example.Name)); // as in the source, whose hashes part the set
        Assert.All(cats.Examples, example => Assert.Equal("a photo of a bengal cat", example.Caption));
        Assert.Contains("foto de un gato bengala sobre fondo verde", cats.Examples[0].OtherCaptions!);
        Assert.Equal([10, 10, 50, 50], JsonSerializer.Deserialize<int[]>(cats.Examples[0].Columns!["head_box"])!);
    }

    [Fact]
    public void Where_the_head_is_known_captions_say_how_near_the_animal_is()
    {
        foreach (var name in new[] { "near", "far", "unknown" })
            Photo($"{name}.png", (20, 20, 20), (240, 240, 240));
        File.WriteAllLines(_folder["photos/metadata.jsonl"],
        [
            """{"file_name": "near.png", "breed": "Bengal", "species": "cat", "head_box": [5, 5, 45, 35]}""",
            """{"file_name": "far.png", "breed": "Bengal", "species": "cat", "head_box": [40, 4, 56, 20]}""",
            """{"file_name": "unknown.png", "breed": "Bengal", "species": "cat"}""",
        ]);
        CatPhotos.Build(_folder["photos"], _folder["cats"]);

        var cats = ImageSource.Open(_folder["cats"]).Examples.ToDictionary(example => example.Name);
        Assert.Contains("a close-up photo of a bengal cat", cats["near.png"].OtherCaptions!);
        Assert.Contains("primer plano de un gato bengala", cats["far.png"].OtherCaptions!); // its close square is one
        Assert.DoesNotContain(cats["unknown.png"].OtherCaptions!, caption => caption.Contains("close-up", StringComparison.Ordinal));
        Assert.Equal(["a photo of a whole bengal cat", "foto de un gato bengala de cuerpo entero"], JsonSerializer.Deserialize<string[]>(cats["far.png"].Columns!["wide_text"])!);
        Assert.All(["near.png", "unknown.png"], name => Assert.False(cats[name].Columns!.ContainsKey("wide_text")));
    }

    [Fact]
    public void A_wide_square_is_the_largest_around_the_head()
    {
        using var scope = NewDisposeScope();
        var picture = arange(90, int64).to(uint8).expand(3, 60, 90).contiguous(); // a pixel's value is its column
        var example = new ImageExample("x", Columns: new Dictionary<string, string> { ["head_box"] = "[66, 10, 76, 20]" });
        Assert.Equal(10 / 17.0, PictureSquare.HeadShare(60, 90, example)!.Value, 1e-9);
        Assert.Equal(10 / 60.0, PictureSquare.HeadShare(60, 90, example, wide: true)!.Value, 1e-9);
        var wide = PictureSquare.Cut(picture, example, 60, wide: true);
        Assert.Equal((30, 89), (wide[0, 0, 0].item<byte>(), wide[0, 0, 59].item<byte>())); // moved inside the picture
        Assert.True(PictureSquare.Cut(picture, new ImageExample("y"), 60, wide: true).equal(PictureSquare.Cut(picture, new ImageExample("y"), 60)).all().item<bool>());
        Assert.Null(PictureSquare.HeadShare(60, 90, new ImageExample("y")));
    }

    [Fact]
    public void Photos_without_cats_are_refused_and_nothing_is_written()
    {
        Photo("dog/three.png", (20, 20, 20), (240, 240, 240));
        File.WriteAllText(_folder["photos/metadata.jsonl"], """{"file_name": "dog/three.png", "breed": "Pug", "species": "dog"}""");

        var error = Assert.Throws<BrumaException>(() => CatPhotos.Build(_folder["photos"], _folder["cats"]));

        Assert.Contains("no photo of a cat", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["cats"]));
    }

    /// <summary>A square of one colour in the middle of another.</summary>
    private void Photo(string name, (int R, int G, int B) middle, (int R, int G, int B) edge)
    {
        using var scope = NewDisposeScope();
        Tensor Of((int R, int G, int B) colour) => tensor(new[] { colour.R, colour.G, colour.B }).to(uint8).reshape(3, 1, 1);
        var pixels = Of(edge).expand(3, 60, 60).contiguous();
        pixels.narrow(1, 10, 40).narrow(2, 10, 40).copy_(Of(middle).expand(3, 40, 40));
        PngFile.Write(_folder[$"photos/{name}"], pixels);
    }
}
