using System.Text.Json;
using Bruma.Data;
using Bruma.Imaging;
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
