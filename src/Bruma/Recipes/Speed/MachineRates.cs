using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Speed;

/// <summary>What the machine can do at this moment, in GFLOP/s: the measure for everything else in the same run. Those of types that the processor imitates are NaN.</summary>
public sealed record MachineRates(double MatrixBf16, double MatrixFp32, double ConvolutionBf16, double ConvolutionFp32)
{
    private const int Side = 2048;

    /// <param name="seconds">For each of the four.</param>
    public static MachineRates Measure(double seconds) => new(Matrix(bfloat16, seconds), Matrix(float32, seconds), Convolution(bfloat16, seconds), Convolution(float32, seconds));

    public static MachineRates Between(MachineRates a, MachineRates b) =>
        new((a.MatrixBf16 + b.MatrixBf16) / 2, (a.MatrixFp32 + b.MatrixFp32) / 2, (a.ConvolutionBf16 + b.ConvolutionBf16) / 2, (a.ConvolutionFp32 + b.ConvolutionFp32) / 2);

    /// <summary>The matrix rate of a type.</summary>
    public double Matrices(ScalarType type) => type == ScalarType.BFloat16 ? MatrixBf16 : MatrixFp32;

    /// <summary>The convolution rate of a type.</summary>
    public double Convolutions(ScalarType type) => type == ScalarType.BFloat16 ? ConvolutionBf16 : ConvolutionFp32;

    public override string ToString() => $"GEMM 2048 {Pair(MatrixBf16, MatrixFp32)}; convolution 3x3 320 at 64x64 {Pair(ConvolutionBf16, ConvolutionFp32)} GFLOP/s";

    /// <summary>The product that is timed; its tensors belong to the open scope.</summary>
    internal static (Action Work, double Gigaflops) MatrixWork(ScalarType type)
    {
        var (a, b) = (randn(Side, Side).to(type), randn(Side, Side).to(type));
        return (() => matmul(a, b), 2e-9 * Side * Side * Side);
    }

    /// <summary>The same of the convolution.</summary>
    internal static (Action Work, double Gigaflops) ConvolutionWork(ScalarType type)
    {
        var (x, w) = (randn(1, 320, 64, 64).to(type), randn(320, 320, 3, 3).to(type));
        return (() => nn.functional.conv2d(x, w, padding: [1, 1]), 2e-9 * 320 * 320 * 9 * 64 * 64);
    }

    private static string Pair(double bf16, double fp32) => FormattableString.Invariant($"{(double.IsNaN(bf16) ? "" : $"bf16 {bf16:0}, ")}fp32 {fp32:0}");

    private static double Matrix(ScalarType type, double seconds)
    {
        if (!ComputePrecision.Native.Contains(type))
            return double.NaN;
        using var scope = NewDisposeScope();
        var (work, gigaflops) = MatrixWork(type);
        return gigaflops / Timing.Median(work, seconds);
    }

    private static double Convolution(ScalarType type, double seconds)
    {
        if (!ComputePrecision.Native.Contains(type))
            return double.NaN;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (work, gigaflops) = ConvolutionWork(type);
        return gigaflops / Timing.Median(work, seconds);
    }
}
