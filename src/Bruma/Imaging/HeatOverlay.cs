using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>A map of numbers as colours over a picture.</summary>
public static class HeatOverlay
{
    /// <summary>Dark violet over green to yellow: Viridis at five points.</summary>
    private static readonly float[] Colours = [68, 1, 84, 59, 82, 139, 33, 145, 140, 94, 201, 98, 253, 231, 37];

    /// <param name="picture">uint8 [3, H, W].</param>
    /// <param name="map">[h, w]; its least value is dark, its greatest bright.</param>
    /// <param name="share">Of the colours in the result.</param>
    /// <returns>uint8 [3, H, W].</returns>
    public static Tensor Compose(Tensor picture, Tensor map, double share = 0.65)
    {
        using var scope = NewDisposeScope();
        var large = nn.functional.interpolate(map.to(float32).unsqueeze(0).unsqueeze(0), [picture.shape[1], picture.shape[2]], mode: InterpolationMode.Bilinear, align_corners: false)[0, 0];
        var (low, high) = (large.min(), large.max());
        var place = (large - low) / (high - low).clamp_min(1e-12) * 4; // [H, W], 0 to 4
        var colours = tensor(Colours).reshape(5, 3);
        var below = place.floor().clamp(0, 3);
        var (index, rest) = (below.to(int64).flatten(), (place - below).flatten().unsqueeze(1));
        var mixed = colours[index] * (1 - rest) + colours[index + 1] * rest; // [H * W, 3]
        var heat = mixed.transpose(0, 1).reshape(3, picture.shape[1], picture.shape[2]);
        var gray = picture.to(float32).mean([0], keepdim: true);
        return (heat * share + gray * (1 - share)).round().clamp(0, 255).to(uint8).MoveToOuterDisposeScope();
    }
}
