using System.CommandLine;
using System.Text.Json;
using Bruma.Data.Emoji;
using Bruma.Recipes;
using Bruma.Recipes.Cats;
using Bruma.Recipes.Emoji;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma data build</c>: makes a data set out of published packages.</summary>
internal static class DataBuildCommand
{
    private const string Emoji = "emoji";
    private const string OpenMoji = "openmoji";

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = $"{Emoji} (eight styles, for training), {OpenMoji} (a ninth that the shipped model never saw), or {CatPhotos.Name} (photos of cats with captions by breed and colours)." };
        var packages = new Option<string?>("--packages") { Description = "A node_modules folder with the packages (default: npm installs pinned versions)." };
        var cache = new Option<string?>("--cache") { Description = "Folder for the data set (default: below BRUMA_DATA or the user's cache)." };
        var styles = new Option<string[]>("--styles") { Description = $"Only these styles: {string.Join(", ", EmojiPackages.Styles)}.", AllowMultipleArgumentsPerToken = true };
        var concepts = new Option<int>("--concepts") { Description = "Only the first concepts, for a quick try (default: all)." };
        var splits = new Option<string?>("--splits") { Description = $"Folder for splits.json and words.txt: what training leaves out and the words it knows ({Emoji}, whole set only)." };
        var sheets = new Option<string?>("--sheets") { Description = "Folder for contact sheets of every style and of composed pictures." };
        var photos = new Option<string?>("--photos") { Description = $"Folder of the pets photos, for {CatPhotos.Name} (default: BRUMA_SHARED/data/pets)." };
        var json = new Option<bool>("--json") { Description = "Print the report as one JSON object." };
        var command = new Command("build", "Make a data set: emoji out of published packages (needs rsvg-convert), or captioned photos of cats. Example: bruma data build emoji") { name, packages, cache, styles, concepts, splits, sheets, photos, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var asked = parsed.GetValue(name)!;
            if (asked == CatPhotos.Name)
            {
                BuildCats(parsed.GetValue(photos), parsed.GetValue(cache), parsed.GetValue(json));
                return;
            }
            if (asked is not (Emoji or OpenMoji))
                throw new UsageException($"{asked}: no such data set; those that can be built are {Emoji}, {OpenMoji} and {CatPhotos.Name}.");
            if (parsed.GetValue(concepts) < 0)
                throw new UsageException($"--concepts {parsed.GetValue(concepts)}: must be 0 (all) or more.");
            var options = new EmojiBuildOptions(asked == OpenMoji ? [EmojiPackages.Unseen] : Chosen(parsed.GetValue(styles) ?? []), parsed.GetValue(packages), parsed.GetValue(concepts));
            var folder = parsed.GetValue(cache) ?? EmojiDataset.DefaultFolder(asked);
            using var data = EmojiBuild.IsBuilt(folder, options) ? EmojiDataset.Open(folder) : EmojiBuild.Run(folder, options, ProgressLine(), cancellation);
            if (parsed.GetValue(splits) is { } target)
                EmojiSplitting.Write(target, data);
            if (parsed.GetValue(sheets) is { } pictures)
                EmojiSheets.Write(pictures, data, EmojiSplits.Committed);
            if (parsed.GetValue(json))
                WriteJson(folder, data);
            else
                WriteText(folder, data);
        }, cancellation));
        return command;
    }

    private static void BuildCats(string? photos, string? cache, bool json)
    {
        var from = photos ?? PictureSets.Pets ?? throw new UsageException("--photos: give the folder of the pets photos, or set BRUMA_SHARED to a folder with data/pets.");
        var folder = cache ?? CatPhotos.DefaultFolder;
        var count = CatPhotos.Build(from, folder);
        Console.WriteLine(json ? JsonSerializer.Serialize(new { folder, pictures = count }) : $"{folder}: {count} photos of cats, each with captions in English and Spanish");
    }

    private static EmojiPackage[] Chosen(string[] styles)
    {
        var named = styles.SelectMany(style => style.Split(',', StringSplitOptions.RemoveEmptyEntries)).ToList();
        foreach (var style in named.Where(style => !EmojiPackages.Styles.Contains(style)))
            throw new UsageException($"--styles {style}: no such style; there are {string.Join(", ", EmojiPackages.Styles)}.");
        return [.. EmojiPackages.Trained.Where(package => named.Count == 0 || named.Contains(package.Style))];
    }

    /// <summary>A line on the error stream now and then, so that the output stays data.</summary>
    private static Action<int, int> ProgressLine()
    {
        var shown = 0;
        return (done, all) =>
        {
            var part = 50 * done / all;
            if (Interlocked.Exchange(ref shown, Math.Max(shown, part)) < part)
                Console.Error.WriteLine($"drawn {done} of {all}");
        };
    }

    private static void WriteText(string folder, EmojiDataset data)
    {
        Console.WriteLine($"{folder}: {data.Pictures.Count} pictures of {data.Concepts.Count} concepts, {data.Index.Toned.Count} more with skin tones, {data.Index.Skipped.Count} skipped");
        for (var style = 0; style < data.Index.Styles.Count; style++)
            Console.WriteLine($"  {data.Index.Styles[style]}: {data.Pictures.Count(picture => picture.Style == style)} pictures");
        foreach (var reason in data.Index.Skipped)
            Console.WriteLine($"  skipped: {reason}");
        Console.WriteLine($"drawn by {data.Index.DrawnBy}; SHA-256 {data.Sha256}");
    }

    private static void WriteJson(string folder, EmojiDataset data) => Console.WriteLine(JsonSerializer.Serialize(new
    {
        folder,
        pictures = data.Pictures.Count,
        concepts = data.Concepts.Count,
        toned = data.Index.Toned.Count,
        per_style = data.Index.Styles.Select((style, i) => (style, data.Pictures.Count(picture => picture.Style == i))).ToDictionary(pair => pair.style, pair => pair.Item2),
        skipped = data.Index.Skipped,
        sources = data.Index.Sources,
        drawn_by = data.Index.DrawnBy,
        sha256 = data.Sha256,
    }));
}
