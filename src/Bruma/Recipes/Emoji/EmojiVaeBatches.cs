using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Pictures alone.</summary>
/// <param name="Pictures">fp32 [B, 3, S, S] in [-1, 1].</param>
/// <param name="Number">Place in the stream.</param>
public sealed record PictureBatch(Tensor Pictures, long Number) : IDisposable
{
    public void Dispose() => Pictures.Dispose();
}

/// <summary>What the autoencoder sees: emoji that are not held out, changed in colour and place, and a share of photos, garments and tiles.</summary>
internal sealed unsafe class EmojiVaeBatches(EmojiDataset data, IReadOnlyList<int> seen, EmojiVaeOptions options, IReadOnlyList<TrainingImages> others)
{
    private const int MostTiles = 4;

    /// <summary>Batch n of the stream, a pure function of n.</summary>
    public PictureBatch At(long n)
    {
        var size = options.Size;
        var pictures = empty([options.BatchSize, 3, size, size], float32).DetachFromDisposeScope();
        var target = (float*)TensorMemory.Address(pictures);
        var source = (byte*)TensorMemory.Address(data.Pixels);
        for (var i = 0; i < options.BatchSize; i++)
        {
            var example = n * options.BatchSize + i;
            var draws = new HashedDraws(options.Seed, 3, example);
            var place = target + (long)i * 3 * size * size;
            if (draws.Chance(options.OtherShare))
                Other(place, size, draws);
            else
                EmojiPainter.Paint(EmojiPainter.Picture(source, seen[ShuffledOrder.At(options.Seed, example, seen.Count)]), place, size, EmojiAugmentation.Draw(draws));
        }
        return new PictureBatch(pictures, n);
    }

    /// <summary>A photo, a garment or tiles, whichever there are, alike often.</summary>
    private void Other(float* target, int size, HashedDraws draws)
    {
        var kind = draws.Below(others.Count + (options.Tiles ? 1 : 0));
        if (kind == others.Count)
            Tiles(target, size, draws);
        else
            Crop(others[kind], target, size, draws);
    }

    private static void Crop(TrainingImages images, float* target, int size, HashedDraws draws)
    {
        var (channels, stored) = ((int)images.Pixels.shape[1], (int)images.Pixels.shape[2]);
        var pixels = (byte*)TensorMemory.Address(images.Pixels) + (long)draws.Below(images.Count) * channels * stored * stored;
        var (top, left, mirror) = (draws.Below(stored - size + 1), draws.Below(stored - size + 1), draws.Chance(0.5));
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < size; y++)
                for (var x = 0; x < size; x++)
                    *target++ = pixels[((long)(channels == 1 ? 0 : c) * stored + top + y) * stored + left + (mirror ? size - 1 - x : x)] / 127.5f - 1;
    }

    private static void Tiles(float* target, int size, HashedDraws draws)
    {
        var (columns, rows) = (1 + draws.Below(MostTiles), 1 + draws.Below(MostTiles));
        var colours = Enumerable.Range(0, 3 * columns * rows).Select(_ => (float)draws.Between(-1, 1)).ToArray();
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < size; y++)
                for (var x = 0; x < size; x++)
                    *target++ = colours[3 * (y * rows / size * columns + x * columns / size) + c];
    }
}
