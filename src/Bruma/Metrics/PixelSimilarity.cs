using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>How alike two pictures are pixel by pixel: for reconstructions, not for samples.</summary>
public static class PixelSimilarity
{
    private const int Window = 11;
    private const double Sigma = 1.5;
    private const double K1 = 0.01;
    private const double K2 = 0.03;

    /// <summary>Mean squared error of every pair, float64 [B].</summary>
    /// <param name="a">[B, C, H, W].</param>
    /// <param name="b">[B, C, H, W].</param>
    public static Tensor MeanSquaredError(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return (a.to(float64) - b.to(float64)).pow(2).mean([1L, 2L, 3L]).MoveToOuterDisposeScope();
    }

    /// <summary>Peak signal-to-noise ratio in dB of every pair, float64 [B]; infinite for equal pictures.</summary>
    /// <param name="range">Difference of the largest and the smallest possible value.</param>
    public static Tensor Psnr(Tensor a, Tensor b, double range)
    {
        using var scope = NewDisposeScope();
        return (10 * (range * range / MeanSquaredError(a, b)).log10()).MoveToOuterDisposeScope();
    }

    /// <summary>Structural similarity of every pair, -1 to 1, float64 [B]: the mean over channels and the positions where the window fits.</summary>
    /// <remarks>Wang et al. 2004, Gaussian window of 11 with σ 1.5.</remarks>
    /// <exception cref="BrumaException">The pictures are smaller than the window.</exception>
    public static Tensor Ssim(Tensor a, Tensor b, double range)
    {
        if (a.shape[2] < Window || a.shape[3] < Window)
            throw new BrumaException($"pictures of {a.shape[3]}x{a.shape[2]} pixels are too small for SSIM, whose window has {Window}; enlarge them.");
        using var scope = NewDisposeScope();
        var (x, y) = (a.to(float64), b.to(float64));
        var (c1, c2) = (Math.Pow(K1 * range, 2), Math.Pow(K2 * range, 2));
        var (mx, my) = (Smooth(x), Smooth(y));
        var (vx, vy, cov) = (Smooth(x * x) - mx * mx, Smooth(y * y) - my * my, Smooth(x * y) - mx * my);
        var map = (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2));
        return map.mean([1L, 2L, 3L]).MoveToOuterDisposeScope();
    }

    private static Tensor Smooth(Tensor x)
    {
        using var scope = NewDisposeScope();
        var channels = x.shape[1];
        var window = (-(arange(Window, float64) - Window / 2).pow(2) / (2 * Sigma * Sigma)).exp();
        window /= window.sum();
        var rows = nn.functional.conv2d(x, window.reshape(1, 1, Window, 1).expand(channels, 1, Window, 1).contiguous(), groups: channels);
        return nn.functional.conv2d(rows, window.reshape(1, 1, 1, Window).expand(channels, 1, 1, Window).contiguous(), groups: channels).MoveToOuterDisposeScope();
    }
}
