using System.Text;
using System.Text.Json;
using Bruma.Data.Emoji;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Emoji as a folder of pictures on white with captions, as training on one's own pictures reads it.</summary>
public static class EmojiPictures
{
    private const string Metadata = "metadata.jsonl";
    private const int Captions = 8;
    private const long Seed = 17;

    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, Metadata));

    /// <summary>Writes drawable pictures that are not held out, spread over the data set: <c>STYLE/CODEPOINTS.png</c> and <c>metadata.jsonl</c>.</summary>
    /// <param name="count">Fewer where there are fewer.</param>
    public static void Write(string folder, EmojiDataset data, EmojiSplits splits, int count)
    {
        var captions = new EmojiCaptions(data, splits);
        var shown = Enumerable.Range(0, data.Pictures.Count).Where(i => Concept(data, i).IsDrawable && !splits.HidesPicture(Style(data, i), Concept(data, i).Codepoints)).ToList();
        var rows = new StringBuilder();
        foreach (var i in EmojiPrompts.Spread(shown, count))
        {
            using var scope = NewDisposeScope();
            var name = $"{Style(data, i)}/{Concept(data, i).Codepoints}.png";
            PngFile.Write(Path.Combine(folder, name), ImageTensor.ToBytes(EmojiPainter.Plain(data.Pixels, [i], EmojiDataset.Size))[0]);
            var texts = Enumerable.Range(0, Captions).Select(k => captions.Of(new EmojiScene(SceneKind.Plain, i), new HashedDraws(Seed, i, k)));
            rows.Append(JsonSerializer.Serialize(new { file_name = name, text = texts.Distinct() })).Append('\n');
        }
        AtomicFile.WriteText(Path.Combine(folder, Metadata), rows.ToString());
    }

    private static EmojiConcept Concept(EmojiDataset data, int picture) => data.Concepts[data.Pictures[picture].Concept];

    private static string Style(EmojiDataset data, int picture) => data.Index.Styles[data.Pictures[picture].Style];
}
