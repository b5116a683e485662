using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace Bruma.Nn;

/// <summary>How 16 numbers lie in memory; arithmetic on them is always fp32.</summary>
internal unsafe interface ILanes
{
    static abstract int Bytes { get; }

    static abstract Vector512<float> Load(byte* from);

    static abstract void Store(Vector512<float> values, byte* to);

    static abstract float LoadOne(byte* from);

    static abstract void StoreOne(float value, byte* to);

    /// <summary>To the nearest number of the type.</summary>
    static abstract Vector512<float> Rounded(Vector512<float> x);

    /// <summary>2^x for x up to 0, as exactly as the type shows; the sums of a softmax are made of it.</summary>
    static abstract Vector512<float> Exp2(Vector512<float> x);
}

internal readonly unsafe struct Float32Lanes : ILanes
{
    public static int Bytes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* from) => Vector512.Load((float*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, byte* to) => values.Store((float*)to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadOne(byte* from) => *(float*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreOne(float value, byte* to) => *(float*)to = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Rounded(Vector512<float> x) => x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2(Vector512<float> x)
    {
        var (n, r) = LaneMath.Split(x);
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(1.535336188e-4f), r, Vector512.Create(1.339887440e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(9.618437357e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.550332471e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(2.402264791e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(6.931472028e-1f));
        return LaneMath.Scale(Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One), n);
    }
}

/// <summary>bf16, rounded to nearest even as torch does.</summary>
internal readonly unsafe struct BFloat16Lanes : ILanes
{
    public static int Bytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* from)
    {
        var bits = Vector256.Load((ushort*)from);
        if (Avx512F.IsSupported)
            return (Avx512F.ConvertToVector512UInt32(bits) << 16).AsSingle();
        var (low, high) = Vector256.Widen(bits);
        return (Vector512.Create(low, high) << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, byte* to)
    {
        var bits = values.AsUInt32();
        var rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One)) >>> 16;
        var narrow = Avx512F.IsSupported ? Avx512F.ConvertToVector256UInt16(rounded) : Vector256.Narrow(rounded.GetLower(), rounded.GetUpper());
        narrow.Store((ushort*)to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadOne(byte* from) => BitConverter.UInt32BitsToSingle((uint)*(ushort*)from << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreOne(float value, byte* to)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        *(ushort*)to = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>A polynomial of degree 4: within 4e-6, where the type has 2e-3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2(Vector512<float> x)
    {
        var (n, r) = LaneMath.Split(x);
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(9.66636852e-3f), r, Vector512.Create(5.59219758e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(2.4022349e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(6.93121045e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        return Rounded(LaneMath.Scale(p, n));
    }

    /// <summary>To the nearest number of the type, so that a sum of what was computed is the sum of what is stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Rounded(Vector512<float> x) => ((x.AsUInt32() + Vector512.Create(0x8000u)) & Vector512.Create(0xFFFF0000u)).AsSingle();
}

/// <summary>How rows divide among threads.</summary>
internal static class Lanes
{
    /// <summary>Each row on its own, so that results do not depend on the number of threads.</summary>
    public static void ForRows(int rows, int rowsPerTask, Action<int> body)
    {
        var tasks = (rows + rowsPerTask - 1) / rowsPerTask;
        var threads = Math.Min(torch.get_num_threads(), tasks);
        if (threads <= 1)
        {
            for (var row = 0; row < rows; row++)
                body(row);
            return;
        }
        Parallel.For(0, tasks, new ParallelOptions { MaxDegreeOfParallelism = threads }, task =>
        {
            for (var row = task * rowsPerTask; row < Math.Min(rows, (task + 1) * rowsPerTask); row++)
                body(row);
        });
    }
}

/// <summary>Functions on 16 numbers.</summary>
internal static class LaneMath
{
    /// <summary>x as a whole number and a rest in [-0.5, 0.5]; numbers below -126, where 2^x ends, count as -126.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Whole, Vector512<float> Fraction) Split(Vector512<float> x)
    {
        x = Vector512.MaxNative(x, Vector512.Create(-126f));
        var n = Vector512.Round(x);
        return (n, x - n);
    }

    /// <summary>x times 2^n for whole n in [-126, 0] and x near 1; at -126 it is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Scale(Vector512<float> x, Vector512<float> n)
    {
        var bits = (x.AsInt32() + (Vector512.ConvertToInt32Native(n) << 23)).AsSingle();
        return Vector512.ConditionalSelect(Vector512.LessThanOrEqual(n, Vector512.Create(-126f)), Vector512<float>.Zero, bits);
    }

    /// <summary>1 / (1 + e^-x), to a few units in the last place of fp32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exp(-x));

    /// <summary>e^x for x in [-87, 88]; beyond, the value at the border.</summary>
    /// <remarks>Cephes' expf: 2^n times a polynomial of degree 6 on [-ln 2 / 2, ln 2 / 2].</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.MinNative(Vector512.MaxNative(x, Vector512.Create(-87f)), Vector512.Create(88f));
        var n = Vector512.Round(x * Vector512.Create(1.44269504088896341f));
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(1.9875691500e-4f), r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r + Vector512<float>.One);
        return p * ((Vector512.ConvertToInt32Native(n) + Vector512.Create(127)) << 23).AsSingle();
    }
}
