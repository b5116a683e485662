using System.Diagnostics;
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
        using var process = Process.GetCurrentProcess();
        var goal = what.Goal is { } share ? FormattableString.Invariant($" (goal {share:0.0})") : "";
        Console.WriteLine(FormattableString.Invariant($"{what.Name}, {ComputePrecision.NameOf(precision)}, {threads} thread{(threads == 1 ? "" : "s")}: {step:0.00} s a step, {what.BatchSize / step:0.0} pictures/s, {rate / rates.Matrices(precision):0.00} of GEMM{goal}, {rate / rates.Convolutions(precision):0.00} of convolution; at most {process.PeakWorkingSet64 / 1e9:0.00} GB"));
        Console.WriteLine($"  {rates}");
    }

    /// <summary>Linux begins anew with the largest memory of the process.</summary>
    private static void ForgetPeak()
    {
        GC.Collect();
        if (OperatingSystem.IsLinux())
            File.WriteAllText("/proc/self/clear_refs", "5");
    }
}
