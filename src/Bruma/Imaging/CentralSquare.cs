using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>The largest square in the middle of a picture, at one size.</summary>
public static class CentralSquare
{
    /// <param name="picture">uint8 [C, H, W].</param>
    /// <returns>uint8 [C, size, size]; the picture itself where it is that already.</returns>
    public static Tensor Of(Tensor picture, int size, ResampleFilter filter)
    {
        var (height, width) = (picture.shape[1], picture.shape[2]);
        if (height == size && width == size)
            return picture.alias();
        using var scope = NewDisposeScope();
        var side = Math.Min(height, width);
        var square = picture.narrow(1, (height - side) / 2, side).narrow(2, (width - side) / 2, side);
        return Resampling.Resize(square.contiguous(), size, size, filter).MoveToOuterDisposeScope();
    }
}
