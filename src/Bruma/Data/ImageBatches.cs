using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Data;

/// <summary>A micro-batch.</summary>
/// <param name="Images">fp32 [B, C, H, W] in [-1, 1].</param>
/// <param name="Classes">int64 [B]; null without classes.</param>
public sealed record ImageBatch(Tensor Images, Tensor? Classes) : IDisposable
{
    public void Dispose()
    {
        Images.Dispose();
        Classes?.Dispose();
    }
}

/// <param name="Size">Height and width of a batch's pictures.</param>
/// <param name="Flip">Mirror half of them.</param>
/// <param name="RandomCrop">Crop at random places when the cached pictures are larger, else at the centre.</param>
public sealed record BatchOptions(int BatchSize, int Size, bool Flip, bool RandomCrop, long Seed);

/// <summary>An endless stream of batches: batch n is a pure function of (seed, n), so there is no position to save.</summary>
public sealed class ImageBatches(TrainingImages images, BatchOptions options)
{
    /// <summary>Batches from a given one on, prepared on a background thread until the enumeration ends.</summary>
    public IEnumerable<ImageBatch> From(long first) => Prefetch.From(first, At);

    /// <summary>Batch n of the stream.</summary>
    public unsafe ImageBatch At(long n)
    {
        var (channels, stored) = ((int)images.Pixels.shape[1], (int)images.Pixels.shape[2]);
        var size = options.Size;
        var batch = empty([options.BatchSize, channels, size, size], float32).DetachFromDisposeScope();
        var classes = new long[options.BatchSize];
        var source = (byte*)TensorMemory.Address(images.Pixels);
        var target = (float*)TensorMemory.Address(batch);
        for (var i = 0; i < options.BatchSize; i++)
        {
            var example = n * options.BatchSize + i;
            var index = ShuffledOrder.At(options.Seed, example, images.Count);
            var draw = HashedSeed.Of(options.Seed, 2, example);
            var margin = stored - size;
            var (top, left) = options.RandomCrop ? ((int)(draw % (uint)(margin + 1)), (int)((draw >> 20) % (uint)(margin + 1))) : (margin / 2, margin / 2);
            Copy(source + (long)index * channels * stored * stored, target + (long)i * channels * size * size, new Crop(channels, stored, size, top, left, options.Flip && draw >> 63 == 1));
            classes[i] = images.Classes.Count > 0 ? images.Classes[index] : 0;
        }
        return new ImageBatch(batch, images.Classes.Count > 0 ? tensor(classes).DetachFromDisposeScope() : null);
    }

    private readonly record struct Crop(int Channels, int Stored, int Size, int Top, int Left, bool Mirror);

    private static unsafe void Copy(byte* source, float* target, Crop crop)
    {
        for (var c = 0; c < crop.Channels; c++)
            for (var y = 0; y < crop.Size; y++)
            {
                var row = source + ((long)c * crop.Stored + crop.Top + y) * crop.Stored + crop.Left;
                for (var x = 0; x < crop.Size; x++)
                    *target++ = row[crop.Mirror ? crop.Size - 1 - x : x] / 127.5f - 1;
            }
    }
}
