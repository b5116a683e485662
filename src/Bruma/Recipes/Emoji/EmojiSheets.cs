using Bruma.Data.Emoji;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Contact sheets of the data set for people: every style, and what is composed from it, with captions beside.</summary>
public static class EmojiSheets
{
    private const int Columns = 12;
    private const int PerSheet = 96;
    private const long Seed = 13;

    /// <summary>Writes <c>STYLE.png</c> for every style, <c>composed.png</c> and <c>composed.txt</c>.</summary>
    public static void Write(string folder, EmojiDataset data, EmojiSplits splits)
    {
        using var scope = NewDisposeScope();
        for (var style = 0; style < data.Index.Styles.Count; style++)
        {
            var draws = new HashedDraws(Seed, style);
            var own = Enumerable.Range(0, data.Pictures.Count).Where(i => data.Pictures[i].Style == style).ToList();
            Save(Path.Combine(folder, $"{data.Index.Styles[style]}.png"), EmojiPainter.Plain(data.Pixels, [.. Enumerable.Range(0, PerSheet).Select(_ => draws.Of(own))], EmojiDataset.Size / 2));
        }
        var scenes = new EmojiScenes(data, splits);
        var (painter, captions) = (new EmojiScenePainter(data, scenes, EmojiDataset.Size), new EmojiCaptions(data, splits));
        var composed = Enumerable.Range(0, PerSheet).Select(i => (Scene: scenes.Composed(new HashedDraws(Seed, -1, i)), Draws: new HashedDraws(Seed, -2, i))).ToList();
        Save(Path.Combine(folder, "composed.png"), stack([.. composed.Select(pair => painter.Paint(pair.Scene))]));
        AtomicFile.WriteText(Path.Combine(folder, "composed.txt"), string.Concat(composed.Select((pair, i) => $"{i / Columns + 1}.{i % Columns + 1} {captions.Of(pair.Scene, pair.Draws)}\n")));
    }

    private static void Save(string file, Tensor pictures) => PngFile.Write(file, ContactSheet.Compose([.. ImageTensor.ToBytes(pictures).unbind()], Columns));
}
