using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>Many pictures as one.</summary>
public static class ContactSheet
{
    private const int Gap = 2;
    private const int SmallestCell = 84;

    /// <param name="images">uint8 [C, H, W] each, of one size.</param>
    /// <param name="columns">Pictures in a row; 0 makes the sheet nearly square.</param>
    /// <returns>uint8 [C, H', W']; tiny pictures are enlarged by whole pixels, so that a person can see them.</returns>
    public static Tensor Compose(IReadOnlyList<Tensor> images, int columns = 0)
    {
        using var scope = NewDisposeScope();
        if (columns <= 0)
            columns = (int)Math.Ceiling(Math.Sqrt(images.Count));
        var (channels, height, width) = (images[0].shape[0], images[0].shape[1], images[0].shape[2]);
        var scale = Math.Max(1, SmallestCell / Math.Min(height, width));
        var (cellHeight, cellWidth) = (height * scale + Gap, width * scale + Gap);
        var rows = (images.Count + columns - 1) / columns;
        var sheet = full([channels, rows * cellHeight + Gap, columns * cellWidth + Gap], 255, uint8);
        for (var i = 0; i < images.Count; i++)
        {
            var cell = images[i].repeat_interleave(scale, 1).repeat_interleave(scale, 2);
            sheet.narrow(1, i / columns * cellHeight + Gap, height * scale).narrow(2, i % columns * cellWidth + Gap, width * scale).copy_(cell);
        }
        return sheet.MoveToOuterDisposeScope();
    }
}
