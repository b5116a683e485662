using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Bruma.Training;

/// <summary>The precision that suits the processor, by a fixed rule and never by a timing.</summary>
public static class ComputePrecision
{
    /// <summary><c>bf16</c> where the processor multiplies it (AVX-512 BF16), else <c>fp32</c>.</summary>
    public static string Default => HasBFloat16 ? "bf16" : "fp32";

    public static bool HasBFloat16 => Avx512F.IsSupported && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>The types that the processor multiplies natively, the fastest first; others it would have to imitate, hundreds of times slower.</summary>
    public static IReadOnlyList<ScalarType> Native => HasBFloat16 ? [ScalarType.BFloat16, ScalarType.Float32] : [ScalarType.Float32];

    /// <summary><c>bf16</c> or <c>fp32</c>.</summary>
    public static string NameOf(ScalarType type) => type == ScalarType.BFloat16 ? "bf16" : "fp32";

    public static ScalarType TypeOf(string precision) => precision == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32;
}
