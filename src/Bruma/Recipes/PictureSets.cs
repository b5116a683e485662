using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Recipes.Cats;
using Bruma.Recipes.Emoji;

namespace Bruma.Recipes;

/// <summary>Sets of captioned pictures that go by a name and are made when they are first asked for.</summary>
public static class PictureSets
{
    private const int Replayed = 2000;
    private const int Unseen = 400;

    /// <summary>cats, emoji (some of what the shipped model learned from) and openmoji (a style that it never saw).</summary>
    public static IReadOnlyList<string> Names { get; } = [CatPhotos.Name, "emoji", "openmoji"];

    /// <summary>Where the pets photos are: below <c>BRUMA_SHARED</c>; null where they are not.</summary>
    public static string? Pets =>
        Environment.GetEnvironmentVariable("BRUMA_SHARED") is { Length: > 0 } shared && Directory.Exists(Path.Combine(shared, "data", "pets")) ? Path.Combine(shared, "data", "pets") : null;

    /// <summary>The folder of a set; a folder stands for itself. A folder here that happens to have a set's name is <c>./cats</c>, so that a recipe means the same everywhere.</summary>
    /// <exception cref="BrumaException">What it is made of is not there.</exception>
    public static string Folder(string data) => data switch
    {
        CatPhotos.Name => Cats(),
        "emoji" => Emoji("emoji", Replayed),
        "openmoji" => Emoji("openmoji", Unseen),
        _ => data,
    };

    private static string Cats()
    {
        var folder = CatPhotos.DefaultFolder;
        if (!PictureMetadata.IsIn(folder))
            CatPhotos.Build(Pets ?? throw new BrumaException("BRUMA_SHARED: does not name a folder with data/pets, where the photos of cats are; set it, or give --data a folder of your own."), folder);
        return folder;
    }

    private static string Emoji(string name, int count)
    {
        var folder = DataCache.Folder($"{name}-pictures");
        if (PictureMetadata.IsIn(folder))
            return folder;
        using var built = EmojiDataset.Open(EmojiDataset.DefaultFolder(name));
        EmojiPictures.Write(folder, built, EmojiSplits.Committed, count);
        return folder;
    }
}
