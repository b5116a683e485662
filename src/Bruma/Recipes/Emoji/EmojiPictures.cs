using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Imaging;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Emoji as a folder of pictures on white with captions, as training on one's own pictures reads it.</summary>
internal static class EmojiPictures
{
    private const int Captions = 8;
    private const long Seed = 17;

    /// <summary>Writes drawable pictures that are not held out, spread over the data set: <c>STYLE/CODEPOINTS.png</c> and <c>metadata.jsonl</c>.</summary>
    /// <param name="count">Fewer where there are fewer.</param>
    public static void Write(string folder, EmojiDataset data, EmojiSplits splits, int count)
    {
        var captions = new EmojiCaptions(data, splits);
        PictureMetadata.Write(folder, [.. new EmojiPrompts(data, splits).Learned(count).Select(prompt => Written(prompt.Scene))]);

        object Written(EmojiScene scene)
        {
            using var scope = NewDisposeScope();
            var picture = data.Pictures[scene.Picture];
            var name = $"{data.Index.Styles[picture.Style]}/{data.Concepts[picture.Concept].Codepoints}.png";
            PngFile.Write(Path.Combine(folder, name), ImageTensor.ToBytes(EmojiPainter.Plain(data.Pixels, [scene.Picture], EmojiDataset.Size))[0]);
            return new { file_name = name, text = Enumerable.Range(0, Captions).Select(k => captions.Of(scene, new HashedDraws(Seed, scene.Picture, k))).Distinct() };
        }
    }
}
