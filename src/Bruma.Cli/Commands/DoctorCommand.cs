using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Bruma.Training;
using SkiaSharp;
using static TorchSharp.torch;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma doctor</c>: finds out and says in words what is wrong with this machine.</summary>
internal static class DoctorCommand
{
    /// <summary>One thing looked at; <paramref name="Advice"/> is null when all is well.</summary>
    private sealed record Finding(string What, string Found, string? Advice = null, bool Broken = false);

    public static Command Create()
    {
        var command = new Command("doctor", "Say in words what is wrong with this machine. Example: bruma doctor");
        command.SetAction(_ => Run());
        return command;
    }

    private static int Run()
    {
        var findings = new[] { NativeLibrary(), CpuFeatures(), CacheSizes(), Threads(), Memory(), Disk(), Fonts(), FashionMnist() };
        foreach (var finding in findings)
        {
            Console.WriteLine($"{(finding.Broken ? "BROKEN" : finding.Advice is null ? "ok    " : "note  ")}  {finding.What}: {finding.Found}");
            if (finding.Advice is not null)
                Console.WriteLine($"        {finding.Advice}");
        }
        return findings.Any(finding => finding.Broken) ? 1 : 0;
    }

    private static Finding NativeLibrary()
    {
        try
        {
            using var scope = NewDisposeScope();
            var sum = ones(4).sum().item<float>();
            return sum == 4 ? new Finding("native library", "libtorch loads and adds correctly") : new Finding("native library", $"1+1+1+1 = {sum}", "Reinstall: the native library is damaged.", Broken: true);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or NotSupportedException or BadImageFormatException or EntryPointNotFoundException)
        {
            return new Finding("native library", e.GetBaseException().Message.Split('\n')[0],
                "libtorch does not load: build again on this machine (dotnet build), and on Linux install a C++ runtime (Debian: libstdc++6, libgomp1).", Broken: true);
        }
    }

    private static Finding CpuFeatures()
    {
        if (!X86Base.IsSupported)
            return new Finding("processor", $"{RuntimeInformation.ProcessArchitecture}", RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? null : "Not an x86-64 or Arm64 processor: expect low speed.");
        var bf16 = ComputePrecision.HasBFloat16;
        var found = $"AVX2 {Word(Avx2.IsSupported)}, AVX-512 {Word(Avx512F.IsSupported)}, AVX-512 BF16 {Word(bf16)}";
        return new Finding("processor", found, bf16 ? null : Avx2.IsSupported ? "Without AVX-512 BF16 Bruma computes in fp32: about half the speed." : "Without AVX2 training is very slow on this machine.");
    }

    private static Finding CacheSizes() => !HiddenCacheSizes.Affected ? new Finding("cache sizes", "known")
        : HiddenCacheSizes.Corrected ? new Finding("cache sizes", "hidden by the virtual machine; corrected inside oneDNN, which would compute some convolutions wrongly without")
        : new Finding("cache sizes", "hidden by the virtual machine", "oneDNN computes convolutions of some widths wrongly here, and Bruma could not correct it: use another machine, or channel counts that are multiples of 16.", Broken: true);

    private static Finding Threads()
    {
        var limit = Environment.GetEnvironmentVariable("OMP_NUM_THREADS");
        return new Finding("threads", $"{Environment.ProcessorCount} logical processors{(limit is null ? "" : $", OMP_NUM_THREADS={limit}")}",
            limit is not null && int.TryParse(limit, NumberStyles.Integer, CultureInfo.InvariantCulture, out var threads) && threads < Environment.ProcessorCount
                ? "OMP_NUM_THREADS keeps Bruma from using every processor: unset it for full speed, or use --threads." : null);
    }

    private static Finding Memory()
    {
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return new Finding("memory", $"{Gigabytes(available)} GB usable", available < 4L << 30 ? "Under 4 GB: use a smaller --batch-size." : null);
    }

    private static Finding Disk()
    {
        var drive = new DriveInfo(Path.GetPathRoot(Environment.CurrentDirectory)!);
        var folder = Environment.CurrentDirectory;
        var probe = Path.Combine(folder, $".bruma-doctor-{Environment.ProcessId}");
        try
        {
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Finding("disk", $"{folder} cannot be written", "Choose another folder for --output.");
        }
        return new Finding("disk", $"{Gigabytes(drive.AvailableFreeSpace)} GB free in {folder}", drive.AvailableFreeSpace < 2L << 30 ? "Under 2 GB: checkpoints may not fit." : null);
    }

    private static Finding Fonts()
    {
        var families = SKFontManager.Default.FontFamilyCount;
        return new Finding("fonts", $"{families} families", families == 0 ? "Plots will have no text: install a font (Debian: fonts-dejavu-core)." : null);
    }

    private static Finding FashionMnist() => Directory.Exists("/usr/share/datasets/fashion-mnist")
        ? new Finding("Fashion-MNIST", "/usr/share/datasets/fashion-mnist")
        : new Finding("Fashion-MNIST", "not installed", "Debian: apt-get install dataset-fashion-mnist; elsewhere it is downloaded when first used.");

    private static string Word(bool present) => present ? "yes" : "no";

    private static string Gigabytes(long bytes) => (bytes / 1e9).ToString("0.0", CultureInfo.InvariantCulture);
}
