using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Rows to mean 0 and deviation 1, then scaled and shifted, while a row lies in the cache.</summary>
internal static unsafe class LayerNormKernel<T>
    where T : struct, ILanes
{
    private const int Width = 16;

    /// <param name="input">[rows, width], contiguous.</param>
    /// <param name="affine">Weight and bias, [width] each; 0 for none.</param>
    /// <param name="width">D, a multiple of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(byte* input, byte* output, (nint Weight, nint Bias) affine, int width, float eps)
    {
        var (sum, squares) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (var i = 0; i < width; i += Width)
            sum += T.Load(input + i * T.Bytes);
        var mean = Vector512.Create(Vector512.Sum(sum) / width);
        for (var i = 0; i < width; i += Width)
        {
            var value = T.Load(input + i * T.Bytes) - mean;
            squares = Vector512.FusedMultiplyAdd(value, value, squares);
        }
        var inverse = Vector512.Create(1 / MathF.Sqrt(Vector512.Sum(squares) / width + eps));
        for (var i = 0; i < width; i += Width)
        {
            var value = (T.Load(input + i * T.Bytes) - mean) * inverse;
            if (affine.Weight != 0)
                value *= T.Load((byte*)affine.Weight + i * T.Bytes);
            if (affine.Bias != 0)
                value += T.Load((byte*)affine.Bias + i * T.Bytes);
            T.Store(value, output + i * T.Bytes);
        }
    }
}

/// <summary>Layer norms (arXiv:1607.06450) in the form that is the fastest for the call.</summary>
public static unsafe class FastLayerNorm
{
    private const int RowsPerTask = 64;

    /// <summary>The kernel at inference on the CPU where 16 divides the width, else libtorch's norm.</summary>
    /// <param name="x">[..., D].</param>
    /// <param name="weight">[D]; null for 1.</param>
    /// <param name="bias">[D]; null for 0.</param>
    /// <returns>[..., D].</returns>
    public static Tensor Of(Tensor x, Tensor? weight, Tensor? bias, double eps)
    {
        using var scope = NewDisposeScope();
        var width = x.shape[^1];
        if (width % 16 != 0 || !BlockAttention.Takes(x) || weight?.dtype is { } type && type != x.dtype)
            return nn.functional.layer_norm(x, [width], weight, bias, eps).MoveToOuterDisposeScope();
        var rows = x.contiguous();
        var result = empty(x.shape, x.dtype);
        if (x.dtype == ScalarType.BFloat16)
            Run<BFloat16Lanes>(rows, result, (Address(weight), Address(bias)), (int)width, (float)eps);
        else
            Run<Float32Lanes>(rows, result, (Address(weight), Address(bias)), (int)width, (float)eps);
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>The same for a module.</summary>
    public static Tensor Of(Tensor x, TorchSharp.Modules.LayerNorm norm) => Of(x, norm.weight, norm.bias, norm.eps);

    private static nint Address(Tensor? tensor) => tensor is null ? 0 : TensorMemory.Address(tensor);

    private static void Run<T>(Tensor input, Tensor output, (nint Weight, nint Bias) affine, int width, float eps)
        where T : struct, ILanes
    {
        var (from, to, count) = (TensorMemory.Address(input), TensorMemory.Address(output), (int)(input.numel() / Math.Max(1, width)));
        Lanes.ForRows(count, RowsPerTask, row => LayerNormKernel<T>.Row((byte*)from + (long)row * width * T.Bytes, (byte*)to + (long)row * width * T.Bytes, affine, width, eps));
    }
}
