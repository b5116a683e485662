using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>Widens the element types that libtorch's CPU kernels lack.</summary>
/// <remarks>8-bit floats: Micikevicius et al. 2022, arXiv:2209.05433. E4M3 has no infinities (its largest value is 448), E5M2 is the upper half of an fp16.</remarks>
internal static unsafe class StoredValues
{
    private static readonly float[] E4M3 = [.. Enumerable.Range(0, 256).Select(bits => FromE4M3((byte)bits))];
    private static readonly float[] E5M2 = [.. Enumerable.Range(0, 256).Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)(bits << 8)))];

    /// <summary>Whether values of this type lie in memory in another way than in the file.</summary>
    public static bool AreWidened(string type) => type is "F8_E4M3" or "F8_E5M2" or "U16" or "U32" or "BOOL";

    /// <param name="stored">As many values as the tensor has.</param>
    /// <param name="values">Of <see cref="TensorTypes.Read"/>'s type.</param>
    public static void Widen(byte[] stored, Tensor values, string type)
    {
        var to = (void*)TensorMemory.Address(values);
        var count = values.numel();
        fixed (byte* from = stored)
            switch (type)
            {
                case "F8_E4M3": Widen(from, (float*)to, count, E4M3); break;
                case "F8_E5M2": Widen(from, (float*)to, count, E5M2); break;
                case "U16": Widen((ushort*)from, (int*)to, count); break;
                case "U32": Widen((uint*)from, (long*)to, count); break;
                case "BOOL": Normalise(from, (byte*)to, count); break;
                default: throw new ArgumentException($"{type} is not widened", nameof(type));
            }
    }

    private static void Widen(byte* from, float* to, long count, float[] table)
    {
        for (var i = 0L; i < count; i++)
            to[i] = table[from[i]];
    }

    private static void Widen(ushort* from, int* to, long count)
    {
        for (var i = 0L; i < count; i++)
            to[i] = from[i];
    }

    private static void Widen(uint* from, long* to, long count)
    {
        for (var i = 0L; i < count; i++)
            to[i] = from[i];
    }

    /// <summary>A truth value is 0 or 1 in memory, whatever the file holds.</summary>
    private static void Normalise(byte* from, byte* to, long count)
    {
        for (var i = 0L; i < count; i++)
            to[i] = from[i] == 0 ? (byte)0 : (byte)1;
    }

    private static float FromE4M3(byte bits)
    {
        var (sign, exponent, mantissa) = (bits >> 7 == 0 ? 1f : -1f, (bits >> 3) & 15, bits & 7);
        if (exponent == 15 && mantissa == 7)
            return float.NaN;
        return sign * (exponent == 0 ? mantissa * MathF.ScaleB(1, -9) : MathF.ScaleB(1 + mantissa / 8f, exponent - 7));
    }
}
