using System.Numerics;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Bruma.Training;

/// <summary>Passes over flat buffers in fixed chunks, so that results do not depend on the number of threads.</summary>
internal static unsafe class FlatPass
{
    /// <summary>Elements that a pass takes at once: two vectors.</summary>
    public static readonly int Width = 2 * Vector<float>.Count;

    private const int Chunk = 1 << 16;

    public static void Run(long start, long length, Action<long, long> body)
    {
        var chunks = (length + Chunk - 1) / Chunk;
        var threads = Math.Max(1, get_num_threads());
        if (threads == 1 || chunks == 1)
        {
            for (var chunk = 0L; chunk < chunks; chunk++)
                body(start + chunk * Chunk, Math.Min(start + length, start + (chunk + 1) * Chunk));
            return;
        }
        Parallel.For(0L, chunks, new ParallelOptions { MaxDegreeOfParallelism = threads }, chunk => body(start + chunk * Chunk, Math.Min(start + length, start + (chunk + 1) * Chunk)));
    }

    /// <summary>Sum of squares in double, chunk by chunk in order.</summary>
    public static double SumOfSquares(FlatReader source, long length)
    {
        var sums = new double[(length + Chunk - 1) / Chunk];
        Run(0, length, (start, end) =>
        {
            double sum = 0;
            var i = start;
            var squares = Vector<double>.Zero;
            for (; i + Width <= end; i += Width)
            {
                source.Load(i, out var low, out var high);
                squares += Squares(low) + Squares(high);
            }
            sum += Vector.Sum(squares);
            for (; i < end; i++)
                sum += (double)source.At(i) * source.At(i);
            sums[start / Chunk] = sum;
        });
        return sums.Sum();
    }

    /// <summary>target += source; source = 0.</summary>
    public static void AddAndClear(float* target, FlatReader source, long length) => Run(0, length, (start, end) =>
    {
        var i = start;
        for (; i + Width <= end; i += Width)
        {
            source.Load(i, out var low, out var high);
            (Vector.Load(target + i) + low).Store(target + i);
            (Vector.Load(target + i + Width / 2) + high).Store(target + i + Width / 2);
        }
        for (; i < end; i++)
            target[i] += source.At(i);
        source.Clear(start, end);
    });

    /// <summary>bf16 from fp32, rounded to nearest even, as torch does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(ushort* target, Vector<float> low, Vector<float> high) => Vector.Narrow(RoundToBFloat16(low), RoundToBFloat16(high)).Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> RoundToBFloat16(Vector<float> value)
    {
        var bits = Vector.AsVectorUInt32(value);
        return (bits + new Vector<uint>(0x7FFF) + ((bits >>> 16) & Vector<uint>.One)) >>> 16;
    }

    private static Vector<double> Squares(Vector<float> values)
    {
        Vector.Widen(values, out var low, out var high);
        return low * low + high * high;
    }
}

/// <summary>Reads an fp32 or bf16 buffer as fp32.</summary>
internal readonly unsafe struct FlatReader(nint address, bool bfloat16)
{
    private readonly bool _bfloat16 = bfloat16;

    /// <summary>Two vectors from element i on: <see cref="FlatPass.Width"/> elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(long i, out Vector<float> low, out Vector<float> high)
    {
        if (_bfloat16)
        {
            Vector.Widen(Vector.Load((ushort*)address + i), out var first, out var second);
            (low, high) = (Vector.AsVectorSingle(first << 16), Vector.AsVectorSingle(second << 16));
        }
        else
        {
            (low, high) = (Vector.Load((float*)address + i), Vector.Load((float*)address + i + Vector<float>.Count));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float At(long i) => _bfloat16 ? BitConverter.UInt32BitsToSingle((uint)((ushort*)address)[i] << 16) : ((float*)address)[i];

    public void Clear(long start, long end)
    {
        if (_bfloat16)
            new Span<ushort>((ushort*)address + start, (int)(end - start)).Clear();
        else
            new Span<float>((float*)address + start, (int)(end - start)).Clear();
    }
}
