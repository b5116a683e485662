using System.Text.Json;
using Bruma.Tests.Support;

namespace Bruma.Tests.Data.Emoji;

/// <summary>A node_modules folder with a few icons and names, of the packages' own shape.</summary>
internal static class EmojiPackagesFixture
{
    private static readonly object[] English =
    [
        new { hexcode = "1F431", label = "cat face", tags = new[] { "cat", "pet" }, group = 3, subgroup = 34 },
        new { hexcode = "1F34E", label = "red apple", tags = new[] { "fruit", "red" }, group = 4, subgroup = 42 },
        new { hexcode = "1F44D", label = "thumbs up", group = 1, subgroup = 19, skins = new[] { new { hexcode = "1F44D-1F3FF", label = "thumbs up: dark skin tone", tone = 5 } } },
        new { hexcode = "2764-FE0F", label = "red heart", group = 0, subgroup = 14 },
        new { hexcode = "1F1EA-1F1F8", label = "flag: Spain", group = 9, subgroup = 98 },
    ];

    private static readonly object[] Spanish =
    [
        new { hexcode = "1F431", label = "cara de gato", tags = new[] { "gato" } },
        new { hexcode = "1F34E", label = "manzana roja" },
        new { hexcode = "1F44D", label = "pulgar hacia arriba" },
        new { hexcode = "2764-FE0F", label = "corazón rojo" },
        new { hexcode = "1F1EA-1F1F8", label = "bandera: España" },
    ];

    public static string Write(TemporaryFolder folder)
    {
        var modules = Path.Combine(folder.Root, "node_modules");
        Json(modules, "emojibase-data/package.json", new { version = "17.0.0" });
        Json(modules, "emojibase-data/en/data.json", English);
        Json(modules, "emojibase-data/es/data.json", Spanish);
        Json(modules, "emojibase-data/meta/groups.json", new
        {
            groups = new Dictionary<string, string> { ["0"] = "smileys-emotion", ["1"] = "people-body", ["3"] = "animals-nature", ["4"] = "food-drink", ["9"] = "flags" },
            subgroups = new Dictionary<string, string> { ["14"] = "heart", ["19"] = "hand-fingers-closed", ["34"] = "animal-mammal", ["42"] = "food-fruit", ["98"] = "country-flag" },
        });
        Json(modules, "emojibase-data/meta/unicode-names.json", new Dictionary<string, string> { ["1F431"] = "CAT FACE" });
        foreach (var set in new[] { "emojibase", "emojibase-legacy", "github", "iamcal", "joypixels", "cldr" })
            Json(modules, $"emojibase-data/en/shortcodes/{set}.json", new Dictionary<string, object> { ["1F44D"] = new[] { "+1", "thumbsup" }, ["2764"] = "heart" });
        Icons(modules, "noto", """{ "cat-face": { "body": "<path d='M0 0h64v128H0z' fill='#f00'/>" }, "cat-secret": { "body": "<path/>", "hidden": true }, "digit-one": { "body": "<path/>" }, "1": { "body": "<path/>" }, "thumbs-up": { "body": "<path/>" }, "thumbs-up-dark": { "body": "<path/>" }, "spain": { "body": "<path/>" } }""",
            new() { ["1f431"] = "cat-face", ["1f431-fe0f"] = "cat-secret", ["1f44d-1f3ff"] = "thumbs-up-dark", ["1f1ea-1f1f8"] = "spain" });
        Icons(modules, "fxemoji", """{ "thumbsup": { "body": "<path/>" }, "catface": { "body": "<path/>" }, "1": { "body": "<path/>" } }""", []);
        return modules;
    }

    private static void Icons(string modules, string set, string icons, Dictionary<string, string> characters)
    {
        Json(modules, $"@iconify-json/{set}/package.json", new { version = "1.0.0" });
        Json(modules, $"@iconify-json/{set}/chars.json", characters);
        Text(modules, $"@iconify-json/{set}/icons.json", $$"""{ "prefix": "{{set}}", "width": 128, "height": 128, "icons": {{icons}}, "aliases": { "cat-flipped": { "parent": "cat-face", "hFlip": true } } }""");
    }

    private static void Json(string modules, string file, object content) => Text(modules, file, JsonSerializer.Serialize(content));

    private static void Text(string modules, string file, string content)
    {
        var path = Path.Combine(modules, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
