using Bruma.Data.Emoji;
using Bruma.Nn;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>The text that the tokenizer is learned from, and captions as token ids.</summary>
internal static class EmojiCorpus
{
    private const int Captions = 20_000;
    private const long Seed = 11;

    /// <summary>Every name and tag once, and captions as training draws them.</summary>
    public static IEnumerable<string> Texts(EmojiDataset data, EmojiSplits splits)
    {
        var captions = new EmojiCaptions(data, splits);
        var seen = Enumerable.Range(0, data.Pictures.Count).Where(i => !splits.HidesPicture(data.Index.Styles[data.Pictures[i].Style], data.Concepts[data.Pictures[i].Concept].Codepoints)).ToList();
        return data.Index.Texts.Concat(Enumerable.Range(0, Captions).Select(n =>
        {
            var draws = new HashedDraws(Seed, n);
            return captions.Of(new EmojiScene(SceneKind.Plain, draws.Of(seen)), draws);
        }));
    }

    /// <summary>Captions with begin and end token, filled with end tokens, cut where they are too long.</summary>
    /// <param name="padding">Where only the first end token is looked at, what follows it changes nothing: the longest caption's length is enough.</param>
    /// <returns>int64 [B, 32], or [B, T] with T up to 32.</returns>
    public static Tensor Ids(Tokenizer tokenizer, IReadOnlyList<string> captions, Padding padding = Padding.MaxLength)
    {
        var encoded = tokenizer.EncodeBatch(captions, new EncodingOptions(EmojiTextOptions.Positions, Truncation.LongestFirst, padding));
        return tensor(encoded.SelectMany(text => text.Ids.Select(id => (long)id)).ToArray(), [captions.Count, encoded[0].Ids.Count]);
    }
}
