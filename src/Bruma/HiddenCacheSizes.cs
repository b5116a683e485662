using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Bruma;

/// <summary>Repairs what oneDNN believes about the caches of AMD processors in virtual machines that hide them.</summary>
/// <remarks>
/// libtorch 2.10 brings oneDNN 3.7.1, which reads the sizes from CPUID leaf 0x8000001D without looking whether the leaf is filled. Where a virtual
/// machine leaves it empty, every cache has one byte, each reorder is cut into blocks for it, and blocks of a channel count that is no multiple of 16
/// lose their zero padding: convolutions of 24 channels, and gradients of convolutions with 1 or 3, are then wrong without a word. Later versions of
/// oneDNN ask the older leaves; this does the same and writes the sizes where oneDNN keeps them. See docs/decisions/0006.
/// </remarks>
public static unsafe class HiddenCacheSizes
{
    private const int Levels = 3;
    private const int Slots = 10; // of each table in Xbyak's Cpu: sizes, then cores that share a cache, then the number of levels

    /// <summary>Whether this processor hides its caches and oneDNN's record of them was corrected.</summary>
    public static bool Corrected { get; private set; }

    /// <summary>Whether this processor is one of those.</summary>
    public static bool Affected => OperatingSystem.IsLinux() && X86Base.IsSupported && IsAmd() && (X86Base.CpuId(unchecked((int)0x8000001D), 0).Eax & 0x1F) == 0;

#pragma warning disable CA2255 // wrong results of any convolution are worse than a module initializer in a library
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Correct()
    {
        try
        {
            if (Affected)
                CorrectRecords();
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or NotSupportedException or BadImageFormatException or EntryPointNotFoundException or IOException or UnauthorizedAccessException)
        {
            // whoever computes first gets the error of the library that does not load
        }
    }

    private static void CorrectRecords()
    {
        LetOneDnnLook();
        foreach (var (start, end) in Writable("libtorch_cpu.so"))
            Corrected |= CorrectIn((uint*)start, (uint*)end);
    }

    /// <summary>oneDNN reads the processor's features when it is first used: by a convolution without padded channels.</summary>
    private static void LetOneDnnLook()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        nn.functional.conv2d(zeros(2, 16, 32, 32), zeros(16, 16, 1, 1));
    }

    private static bool CorrectIn(uint* from, uint* to)
    {
        var sizes = Sizes();
        var found = false;
        for (var at = from; at + 2 * Slots + 1 <= to; at++)
        {
            if (!IsRecord(at))
                continue;
            for (var level = 0; level < Levels; level++)
                at[level] = sizes[level];
            found = true;
        }
        return found;
    }

    /// <summary>Three caches of one byte, how many cores share each, and their number.</summary>
    private static bool IsRecord(uint* at)
    {
        if (at[2 * Slots] != Levels)
            return false;
        for (var i = 0; i < Slots; i++)
            if (at[i] != (i < Levels ? 1u : 0u) || at[Slots + i] is 0 != i >= Levels)
                return false;
        return true;
    }

    /// <summary>Bytes of the first, second and third level by the older leaves; usual ones where these are empty too.</summary>
    private static uint[] Sizes()
    {
        var first = (uint)X86Base.CpuId(unchecked((int)0x80000005), 0).Ecx >> 24;
        var (_, _, second, third) = X86Base.CpuId(unchecked((int)0x80000006), 0);
        return
        [
            first > 0 ? first * 1024 : 32 * 1024,
            (uint)second >> 16 is > 0 and var kilobytes ? kilobytes * 1024 : 512 * 1024,
            (uint)third >> 18 is > 0 and var halfMegabytes ? Math.Min(halfMegabytes, 64) * 512 * 1024 : 4 * 1024 * 1024, // shared with other machines
        ];
    }

    private static bool IsAmd() => X86Base.CpuId(0, 0).Ecx == 0x444D4163; // "cAMD"

    /// <summary>The writable memory of a loaded library, its zero-initialised part included, which follows without a name.</summary>
    private static IEnumerable<(nint Start, nint End)> Writable(string library)
    {
        var follows = false;
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var named = fields.Length > 5 && fields[5].EndsWith(library, StringComparison.Ordinal);
            var part = named || (follows && fields.Length == 5);
            if (part && fields[1].StartsWith("rw", StringComparison.Ordinal))
            {
                var range = fields[0].Split('-');
                yield return (nint.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture), nint.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            }
            follows = part;
        }
    }
}
