using System.Diagnostics;
using static TorchSharp.torch;

namespace Bruma.Benchmarks;

/// <summary>Times a piece of work: warm, then repeated for a while; the median counts, since machines are shared.</summary>
internal static class Timing
{
    /// <returns>Seconds of one call.</returns>
    public static double Median(Action work, double seconds)
    {
        Once(work);
        var times = new List<double>();
        for (var watch = Stopwatch.StartNew(); times.Count < 3 || watch.Elapsed.TotalSeconds < seconds;)
            times.Add(Once(work));
        times.Sort();
        return times[times.Count / 2];
    }

    private static double Once(Action work)
    {
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        work();
        return watch.Elapsed.TotalSeconds;
    }
}

/// <summary>What the machine can do at this moment, in GFLOP/s: the measure for everything else in the same run.</summary>
internal sealed record Rates(double MatrixBf16, double MatrixFp32, double ConvolutionBf16, double ConvolutionFp32)
{
    private const int Side = 2048;

    public static Rates Measure(double seconds) => new(Matrix(bfloat16, seconds), Matrix(float32, seconds), Convolution(bfloat16, seconds), Convolution(float32, seconds));

    public static Rates Between(Rates a, Rates b) =>
        new((a.MatrixBf16 + b.MatrixBf16) / 2, (a.MatrixFp32 + b.MatrixFp32) / 2, (a.ConvolutionBf16 + b.ConvolutionBf16) / 2, (a.ConvolutionFp32 + b.ConvolutionFp32) / 2);

    public override string ToString() => FormattableString.Invariant($"GEMM 2048 bf16 {MatrixBf16:0}, fp32 {MatrixFp32:0}; convolution 3x3 320 at 64x64 bf16 {ConvolutionBf16:0}, fp32 {ConvolutionFp32:0} GFLOP/s");

    private static double Matrix(ScalarType type, double seconds)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (randn(Side, Side).to(type), randn(Side, Side).to(type));
        return 2e-9 * Side * Side * Side / Timing.Median(() => matmul(a, b), seconds);
    }

    private static double Convolution(ScalarType type, double seconds)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (x, w) = (randn(1, 320, 64, 64).to(type), randn(320, 320, 3, 3).to(type));
        return 2e-9 * 320 * 320 * 9 * 64 * 64 / Timing.Median(() => nn.functional.conv2d(x, w, padding: [1, 1]), seconds);
    }
}
