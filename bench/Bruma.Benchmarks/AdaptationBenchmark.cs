using System.Globalization;
using Bruma.Recipes.Speed;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Benchmarks;

/// <summary>Steps of adapting text-to-image networks, with the memory that the process takes for them.</summary>
internal static class AdaptationBenchmark
{
    public static void Run(double seconds)
    {
        foreach (var (what, threads) in new[] { (AdaptedNetwork.Emoji, Environment.ProcessorCount), (AdaptedNetwork.Lora256, 1), (AdaptedNetwork.Lora256Checkpointed, 1), (AdaptedNetwork.Lora512Checkpointed, 1) })
        {
            set_num_threads(threads);
            foreach (var precision in ComputePrecision.Native)
                Measure(what, precision, threads, seconds);
        }
    }

    private static void Measure(AdaptedNetwork what, ScalarType precision, int threads, double seconds)
    {
        ForgetPeak();
        using var adaptation = new AdaptationSpeed(what, precision);
        var before = MachineRates.Measure(1);
        var step = Timing.Best(adaptation.Step, seconds);
        var rates = MachineRates.Between(before, MachineRates.Measure(1));
        var rate = what.BatchSize * what.GigaflopsPerPicture / step;
        var goal = what.Goal is { } share ? FormattableString.Invariant($" (goal {share:0.0})") : "";
        Console.WriteLine(FormattableString.Invariant($"{what.Name}, {(precision == bfloat16 ? "bf16" : "fp32")}, {threads} thread{(threads == 1 ? "" : "s")}: {step:0.00} s a step, {what.BatchSize / step:0.0} pictures/s, {rate / rates.Matrices(precision):0.00} of GEMM{goal}, {rate / rates.Convolutions(precision):0.00} of convolution; at most {Peak()} GB"));
        Console.WriteLine($"  {rates}");
    }

    /// <summary>Linux begins anew with the largest memory of the process.</summary>
    private static void ForgetPeak()
    {
        GC.Collect();
        if (OperatingSystem.IsLinux())
            File.WriteAllText("/proc/self/clear_refs", "5");
    }

    private static string Peak()
    {
        var bytes = OperatingSystem.IsLinux()
            ? 1024 * double.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            : Environment.WorkingSet;
        return (bytes / 1e9).ToString("0.00", CultureInfo.InvariantCulture);
    }
}
