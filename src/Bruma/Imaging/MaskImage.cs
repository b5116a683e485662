using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>Masks: white where something happens.</summary>
public static class MaskImage
{
    /// <returns>uint8 [1, H, W], gray.</returns>
    /// <exception cref="BrumaException">No picture.</exception>
    public static Tensor Load(string path)
    {
        using var scope = NewDisposeScope();
        return Gray(ImageFile.Load(path)).MoveToOuterDisposeScope();
    }

    /// <summary>Luma as PIL computes it (ITU-R 601-2 in fixed point).</summary>
    /// <param name="rgb">uint8 [3, H, W].</param>
    /// <returns>uint8 [1, H, W].</returns>
    public static Tensor Gray(Tensor rgb)
    {
        using var scope = NewDisposeScope();
        var weights = tensor([19595, 38470, 7471], int32).reshape(3, 1, 1);
        var sum = (rgb.to(int32) * weights).sum(0, keepdim: true, type: int32);
        return sum.add_(0x8000).div_(0x10000, RoundingMode.floor).to(uint8).MoveToOuterDisposeScope();
    }
}
