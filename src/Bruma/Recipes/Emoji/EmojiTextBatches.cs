using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Metrics;
using Bruma.Nn;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Pictures with two captions each, in English and, where allowed, in Spanish.</summary>
/// <param name="Pictures">fp32 [N, 3, 64, 64] in [-1, 1].</param>
/// <param name="Ids">int64 [2N, T], T up to 32: the captions of picture i are 2i and 2i + 1.</param>
/// <param name="Concepts">int64 [N].</param>
/// <param name="Styles">int64 [N].</param>
public sealed record CaptionedBatch(Tensor Pictures, Tensor Ids, Tensor Concepts, Tensor Styles) : IDisposable
{
    public void Dispose()
    {
        Pictures.Dispose();
        Ids.Dispose();
        Concepts.Dispose();
        Styles.Dispose();
    }
}

/// <summary>What teaches pictures and captions to meet.</summary>
internal sealed unsafe class EmojiTextBatches(EmojiDataset data, IReadOnlyList<int> seen, EmojiTextOptions options, (EmojiCaptions Grammar, Tokenizer Tokenizer) text)
{
    public const int Size = EmojiScorer.Size;

    /// <summary>Batch n of the stream, a pure function of n.</summary>
    public CaptionedBatch At(long n)
    {
        var pictures = empty([options.BatchSize, 3, Size, Size], float32).DetachFromDisposeScope();
        var source = (byte*)TensorMemory.Address(data.Pixels);
        var target = (float*)TensorMemory.Address(pictures);
        var captions = new List<string>();
        var (concepts, styles) = (new long[options.BatchSize], new long[options.BatchSize]);
        for (var i = 0; i < options.BatchSize; i++)
        {
            var example = n * options.BatchSize + i;
            var draws = new HashedDraws(options.Seed, 5, example);
            var index = seen[ShuffledOrder.At(options.Seed, example, seen.Count)];
            (concepts[i], styles[i]) = (data.Pictures[index].Concept, data.Pictures[index].Style);
            EmojiPainter.Paint(EmojiPainter.Picture(source, index), target + (long)i * 3 * Size * Size, Size, EmojiAugmentation.DrawGentle(draws, data.Concepts[data.Pictures[index].Concept].HasNoSide));
            var scene = new EmojiScene(SceneKind.Plain, index);
            captions.Add(text.Grammar.Of(scene, draws, language: false));
            captions.Add(text.Grammar.Of(scene, draws, language: true));
        }
        return new CaptionedBatch(pictures, EmojiCorpus.Ids(text.Tokenizer, captions, Padding.Longest).DetachFromDisposeScope(), tensor(concepts).DetachFromDisposeScope(), tensor(styles).DetachFromDisposeScope());
    }
}
