using System.Text.Json;
using Bruma.Data.Emoji;
using Bruma.Hub;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes.Emoji;

/// <summary>Built data sets of coloured squares: eight concepts in each style.</summary>
internal static class TinyEmoji
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private static readonly string[] English = ["cat", "dog", "apple", "pear", "ball", "bell", "star", "moon"];
    private static readonly string[] Spanish = ["gato", "perro", "manzana", "pera", "pelota", "campana", "estrella", "luna"];

    /// <summary>Noto's star and moon, and the bell in every style, are held out; the ball has no Spanish name in training.</summary>
    public static EmojiSplits Splits { get; } = new("for tests", "", [new("noto", Code(6)), new("noto", Code(7))], [Code(5)], [], [Code(4)], []);

    public static string Code(int concept) => $"1f4{concept:x2}";

    public static string Write(TemporaryFolder folder) => Write(folder, "data", "noto", "twemoji");

    public static string Write(TemporaryFolder folder, string name, params string[] styles) => Write(folder, name, styles, styles.Length);

    /// <param name="drawn">How many of the styles have pictures.</param>
    public static string Write(TemporaryFolder folder, string name, string[] styles, int drawn)
    {
        using var scope = NewDisposeScope();
        var (data, count) = (folder[$"{name}/emoji.json"], drawn * English.Length);
        var concepts = English.Select((name, i) => new EmojiConcept(Code(i), name, Spanish[i], [], [], "animals-nature", "animal-mammal")).ToList();
        var pictures = Enumerable.Range(0, count).Select(i => new EmojiPicture(i / 8, i % 8)).ToList();
        File.WriteAllText(data, JsonSerializer.Serialize(new EmojiIndex("tests", [], styles, concepts, pictures, [], [], [.. English, .. Spanish]), Options));
        var root = Path.GetDirectoryName(data)!;
        SafetensorsFile.Write(Path.Combine(root, "pictures.safetensors"), [new("rgba", stack([.. Enumerable.Range(0, count).Select(Square)]))]);
        SafetensorsFile.Write(Path.Combine(root, "tones.safetensors"), [new("rgba", empty([0, 4, 128, 128], uint8))]);
        File.WriteAllText(Path.Combine(root, "sha256"), "0\n");
        return root;
    }

    /// <summary>A square of its own colour and place on a transparent ground.</summary>
    private static Tensor Square(int number)
    {
        var rgba = zeros([4, 128, 128], uint8);
        var (left, top) = (16 * (number % 4), 16 * (number / 4));
        var colour = tensor(new[] { 30 * (number % 8), 255 - 25 * number / 2, 120 + 8 * number, 255 }).clamp(0, 255).to(uint8).reshape(4, 1, 1);
        rgba.narrow(1, top, 48).narrow(2, left, 48).copy_(colour.expand(4, 48, 48));
        return rgba;
    }
}
