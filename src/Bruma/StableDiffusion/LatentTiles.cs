using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Encodes and decodes in overlapping tiles that fade into one another: memory depends on the tile, not on the picture.</summary>
internal static class LatentTiles
{
    /// <summary>Side of a tile in latents: 512 pixels for Stable Diffusion.</summary>
    private const int Tile = 64;
    private const int Overlap = 16;

    /// <param name="latents">Unscaled, [B, 4, h, w].</param>
    /// <returns>[B, 3, 8h, 8w].</returns>
    public static Tensor Decode(AutoencoderKl autoencoder, Tensor latents, int reduction) =>
        Blend(latents, (Tile, Overlap, 1), tile => autoencoder.Decode(tile), size => size * reduction);

    /// <param name="pictures">[B, 3, H, W].</param>
    /// <returns>Over [B, 4, H/8, W/8].</returns>
    public static LatentDistribution Encode(AutoencoderKl autoencoder, Tensor pictures, int reduction)
    {
        using var scope = NewDisposeScope();
        var moments = Blend(pictures, (Tile * reduction, Overlap * reduction, reduction), tile =>
        {
            using var inner = NewDisposeScope();
            var part = autoencoder.Encode(tile);
            return cat([part.Mean, part.LogVariance], 1).MoveToOuterDisposeScope();
        }, size => size / reduction).chunk(2, 1);
        return new LatentDistribution(moments[0].MoveToOuterDisposeScope(), moments[1].MoveToOuterDisposeScope());
    }

    /// <summary>The weighted mean of all tiles that cover a place, the weight falling linearly to a tile's inner borders.</summary>
    private static Tensor Blend(Tensor input, (int Size, int Overlap, int Grid) tile, Func<Tensor, Tensor> map, Func<int, int> mapped)
    {
        using var scope = NewDisposeScope();
        var (height, width) = ((int)input.shape[2], (int)input.shape[3]);
        if (height <= tile.Size && width <= tile.Size)
            return map(input).MoveToOuterDisposeScope();

        Tensor? sum = null, weights = null;
        foreach (var (top, tall) in Spans(height, tile))
            foreach (var (left, wide) in Spans(width, tile))
            {
                using var inner = NewDisposeScope();
                var result = map(input.narrow(2, top, tall).narrow(3, left, wide)).to(float32);
                var fade = Fade(mapped(tall), mapped(tile.Overlap), top > 0, top + tall < height).unsqueeze(1) * Fade(mapped(wide), mapped(tile.Overlap), left > 0, left + wide < width); // [h, w]
                sum ??= zeros([result.shape[0], result.shape[1], mapped(height), mapped(width)]).MoveToOuterDisposeScope();
                weights ??= zeros([mapped(height), mapped(width)]).MoveToOuterDisposeScope();
                Place(sum, 2).add_(result * fade);
                Place(weights, 0).add_(fade);

                Tensor Place(Tensor whole, int axis) => whole.narrow(axis, mapped(top), mapped(tall)).narrow(axis + 1, mapped(left), mapped(wide));
            }
        return (sum! / weights!).MoveToOuterDisposeScope();
    }

    /// <summary>Where tiles begin, spread evenly, with at least the overlap between neighbours.</summary>
    private static IEnumerable<(int Start, int Length)> Spans(int length, (int Size, int Overlap, int Grid) tile)
    {
        if (length <= tile.Size)
            return [(0, length)];
        var count = (int)Math.Ceiling((length - tile.Overlap) / (double)(tile.Size - tile.Overlap));
        return Enumerable.Range(0, count).Select(i => ((int)((long)(length - tile.Size) * i / (count - 1)) / tile.Grid * tile.Grid, tile.Size));
    }

    private static Tensor Fade(int length, int overlap, bool before, bool after)
    {
        var values = Enumerable.Range(0, length).Select(i => Math.Min(1f, Math.Min(before ? (i + 1f) / (overlap + 1) : 1, after ? (length - i) / (overlap + 1f) : 1)));
        return tensor(values.ToArray());
    }
}
