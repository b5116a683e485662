using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>Pictures as numbers: uint8, or floats in [-1, 1].</summary>
public static class ImageTensor
{
    /// <summary>[-1, 1] to grey levels, rounded half to even as numpy does.</summary>
    public static Tensor ToBytes(Tensor values)
    {
        using var scope = NewDisposeScope();
        return (ToUnit(values) * 255).round().to(uint8).MoveToOuterDisposeScope();
    }

    /// <summary>[-1, 1] to [0, 1], clamped, fp32.</summary>
    public static Tensor ToUnit(Tensor values)
    {
        using var scope = NewDisposeScope();
        return (values.to(float32) / 2 + 0.5).clamp(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>Grey levels to [-1, 1], fp32.</summary>
    public static Tensor FromBytes(Tensor bytes)
    {
        using var scope = NewDisposeScope();
        return (bytes.to(float32) / 127.5 - 1).MoveToOuterDisposeScope();
    }
}
