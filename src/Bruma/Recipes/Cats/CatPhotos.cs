using System.Text.Json;
using Bruma.Data;
using Bruma.Recipes.Adaptation;
using static TorchSharp.torch;

namespace Bruma.Recipes.Cats;

/// <summary>The cats among the pets photos as a folder for training, each with ten captions that its breed and its pixels give, and more where the place of its head says how near it is.</summary>
public static class CatPhotos
{
    public const string Name = "cats";

    /// <summary>Up to this share of a square's side a head is small: the animal is seen whole.</summary>
    public const double SmallHead = 0.45;

    private const int Measured = 64;

    /// <summary>Where the set is put unless another folder is named.</summary>
    public static string DefaultFolder => DataCache.Folder(Name);

    /// <summary>Copies the photos of cats and writes <c>metadata.jsonl</c> with a list of captions in <c>text</c>, those of the largest square around a small head in <c>wide_text</c>, and the words themselves in columns.</summary>
    /// <param name="photos">The pets photos: <c>metadata.jsonl</c> with <c>species</c>, <c>breed</c> and perhaps <c>head_box</c>.</param>
    /// <returns>How many cats there are.</returns>
    /// <exception cref="BrumaException">No photo is of a cat.</exception>
    public static int Build(string photos, string folder)
    {
        var source = new ImageFolder(photos);
        var rows = new List<object>();
        for (var i = 0; i < source.Examples.Count; i++)
        {
            var example = source.Examples[i];
            if (example.Columns is not { } columns || columns.GetValueOrDefault("species") != "cat" || columns.GetValueOrDefault("breed") is not { } breed)
                continue;
            rows.Add(Row(source.Load(i), example, breed.ToLowerInvariant().Replace('_', ' ')));
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, example.Name))!);
            File.Copy(Path.Combine(photos, example.Name), Path.Combine(folder, example.Name), overwrite: true);
        }
        if (rows.Count == 0)
            throw new BrumaException($"{photos}: no photo of a cat there; its metadata.jsonl needs the columns species (cat) and breed.");
        PictureMetadata.Write(folder, rows);
        return rows.Count;
    }

    private static Dictionary<string, object?> Row(Tensor picture, ImageExample example, string breed)
    {
        using var _ = picture;
        using var square = PictureSquare.Cut(picture, example, Measured);
        var words = PhotoWords.Of(square);
        var (height, width) = ((int)picture.shape[1], (int)picture.shape[2]);
        var isClose = PictureSquare.HeadShare(height, width, example) is not null;
        var columns = new Dictionary<string, object?>
        {
            ["file_name"] = example.Name,
            ["text"] = (string[])[.. CatCaptions.Of(breed, words), .. isClose ? CatCaptions.Close(breed) : []],
            ["class"] = breed,
            ["coat"] = words.Coat.English,
            ["background"] = words.Ground.English,
            ["lightness"] = words.Lightness,
        };
        if (example.Columns!.GetValueOrDefault("head_box") is { } box)
            columns["head_box"] = JsonSerializer.Deserialize<JsonElement>(box);
        if (PictureSquare.HeadShare(height, width, example, wide: true) <= SmallHead)
            columns[Captions.WideColumn] = CatCaptions.Whole(breed);
        return columns;
    }
}
