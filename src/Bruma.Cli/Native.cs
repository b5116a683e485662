using System.Runtime.InteropServices;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Cli;

/// <summary>Process-wide state of the native library: the program sets it, the library never does.</summary>
internal static class Native
{
    /// <summary>What the native library reads from the environment, unless the user decided. Before it is loaded, or never.</summary>
    /// <remarks>OpenMP's threads sleep while they wait: by default they spin, and take the processors from Bruma's own threads.
    /// Tensors of 2 MB and more lie in huge pages: first touches of 4 KB pages take more time than loading a model does otherwise.</remarks>
    public static void PrepareLoading()
    {
        if (!OperatingSystem.IsLinux())
            return;
        _ = setenv("OMP_WAIT_POLICY", "PASSIVE", 0); // .NET's own environment does not reach native code
        _ = setenv("THP_MEM_ALLOC_ENABLE", "1", 0);

        [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        static extern int setenv([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
    }

    /// <summary>Sets the number of threads; 0 leaves it at all processors.</summary>
    /// <returns>The number in use.</returns>
    public static int UseThreads(int threads)
    {
        if (threads < 0)
            throw new UsageException($"--threads {threads}: must be at least 1.");
        if (threads > 0)
            set_num_threads(threads);
        return get_num_threads();
    }

    /// <summary>Gives freed memory back at once instead of keeping it for the next step: what gradient checkpointing saves is then really free, for more page faults.</summary>
    public static void PreferMemory()
    {
        const int MmapThreshold = -3; // M_MMAP_THRESHOLD of malloc.h
        if (OperatingSystem.IsLinux())
            _ = mallopt(MmapThreshold, 1 << 20);

        [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        static extern int mallopt(int parameter, int value);
    }

    /// <summary>Keeps freed memory for the next step instead of giving it back: small networks on large batches spend more than half of their time on page faults otherwise.</summary>
    public static void KeepMemory()
    {
        const int TrimThreshold = -1; // M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_MAX of malloc.h
        const int TopPad = -2;
        const int MostMaps = -4;
        if (!OperatingSystem.IsLinux())
            return;
        _ = mallopt(MostMaps, 0);
        _ = mallopt(TrimThreshold, int.MaxValue);
        _ = mallopt(TopPad, 256 << 20);

        [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        static extern int mallopt(int parameter, int value);
    }

    /// <summary>What the user asked for, else by a fixed rule from the CPU's features.</summary>
    public static string Precision(string? asked) => asked?.ToLowerInvariant() switch
    {
        null => ComputePrecision.Default,
        "bf16" => "bf16",
        "fp32" or "no" => "fp32",
        "fp16" => throw new UsageException("--precision fp16: half precision has too little range to train on a CPU; use bf16 or fp32."),
        _ => throw new UsageException($"--precision {asked}: must be bf16 or fp32."),
    };
}
