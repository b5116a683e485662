using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Bruma.Nn;

/// <summary>The two passes of block attention over memory: scores to numerators of a softmax in place, and mixed values divided by the sums.</summary>
/// <remarks>Rows are independent, so that results do not depend on the number of threads. Scores come in units of log2, so that 2^x is all that is to be computed.</remarks>
internal static unsafe class SoftmaxKernel<T>
    where T : struct, ILanes
{
    private const int Width = 16;
    private const int RowsPerTask = 16;

    /// <summary>s becomes 2^(s - max of the row); the sum of each row, of the numbers as stored, goes to <paramref name="sums"/>.</summary>
    /// <param name="scores">[rows, columns], contiguous.</param>
    /// <param name="sums">fp32, [rows].</param>
    public static void Numerators(nint scores, nint sums, int rows, int columns) => Lanes.ForRows(rows, RowsPerTask, row =>
        ((float*)sums)[row] = Row((byte*)scores + (long)row * columns * T.Bytes, columns));

    /// <summary>Divides each row by its sum and stores it where the result lies.</summary>
    /// <param name="mixed">[rows, width], contiguous.</param>
    /// <param name="target">The first row of the result.</param>
    /// <param name="stride">Elements from one row of the result to the next.</param>
    public static void Divide(nint mixed, nint sums, nint target, int rows, int width, long stride) => Lanes.ForRows(rows, RowsPerTask, row =>
        Divide((byte*)mixed + (long)row * width * T.Bytes, (byte*)target + row * stride * T.Bytes, 1 / ((float*)sums)[row], width));

    /// <summary>The same for heads that lie apart, which come together.</summary>
    /// <param name="mixed">[B, N, T, d], contiguous.</param>
    /// <param name="target">[B, T, N, d], contiguous.</param>
    /// <param name="shape">Of <paramref name="mixed"/>.</param>
    public static void DivideHeads(nint mixed, nint sums, nint target, long[] shape)
    {
        var (heads, tokens, width) = ((int)shape[1], (int)shape[2], (int)shape[3]);
        Lanes.ForRows((int)shape[0] * heads * tokens, RowsPerTask, row =>
        {
            var (sample, head, token) = (row / (heads * tokens), row / tokens % heads, row % tokens);
            Divide((byte*)mixed + (long)row * width * T.Bytes, (byte*)target + (((long)sample * tokens + token) * heads + head) * width * T.Bytes, 1 / ((float*)sums)[row], width);
        });
    }

    private static void Divide(byte* from, byte* to, float factor, int width)
    {
        var i = 0;
        for (; i <= width - Width; i += Width)
            T.Store(T.Load(from + i * T.Bytes) * Vector512.Create(factor), to + i * T.Bytes);
        for (; i < width; i++)
            T.StoreOne(T.LoadOne(from + i * T.Bytes) * factor, to + i * T.Bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Row(byte* row, int columns)
    {
        var largest = Largest(row, columns);
        var (max, sum) = (Vector512.Create(largest), Vector512<float>.Zero);
        var i = 0;
        for (; i <= columns - Width; i += Width)
        {
            var value = T.Exp2(T.Load(row + i * T.Bytes) - max);
            T.Store(value, row + i * T.Bytes);
            sum += value;
        }
        if (i == columns)
            return Vector512.Sum(sum);
        Span<float> rest = stackalloc float[Width];
        rest.Fill(float.NegativeInfinity);
        for (var j = i; j < columns; j++)
            rest[j - i] = T.LoadOne(row + j * T.Bytes);
        var last = T.Exp2(Vector512.Create<float>(rest) - max);
        for (var j = i; j < columns; j++)
            T.StoreOne(last[j - i], row + j * T.Bytes);
        return Vector512.Sum(sum + last);
    }

    private static float Largest(byte* row, int columns)
    {
        var (first, second) = (Vector512.Create(float.NegativeInfinity), Vector512.Create(float.NegativeInfinity));
        var i = 0;
        for (; i <= columns - 2 * Width; i += 2 * Width)
        {
            first = Vector512.MaxNative(first, T.Load(row + i * T.Bytes));
            second = Vector512.MaxNative(second, T.Load(row + (i + Width) * T.Bytes));
        }
        first = Vector512.MaxNative(first, second);
        var half = Vector256.MaxNative(first.GetLower(), first.GetUpper());
        var quarter = Vector128.MaxNative(half.GetLower(), half.GetUpper());
        var largest = MathF.Max(MathF.Max(quarter[0], quarter[1]), MathF.Max(quarter[2], quarter[3]));
        for (; i < columns; i++)
            largest = MathF.Max(largest, T.LoadOne(row + i * T.Bytes));
        return largest;
    }
}
