using System.Globalization;
using System.Runtime.InteropServices;
using Bruma.Benchmarks;
using Bruma.Recipes.Speed;
using Bruma.Training;
using static TorchSharp.torch;

// dotnet run -c Release --project bench/Bruma.Benchmarks -- [seconds per row] [threads], or -- adaptation [seconds per row]
if (args is ["adaptation", ..])
{
    AdaptationBenchmark.Run(args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 20);
    return;
}
var seconds = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 20;
var oneThread = 0.0;
foreach (var threads in args.Length > 1 ? [int.Parse(args[1], CultureInfo.InvariantCulture)] : new[] { 1, Environment.ProcessorCount }.Distinct())
{
    set_num_threads(threads);
    Console.WriteLine($"\n{threads} {(threads == 1 ? "thread" : "threads")}");
    EncodingBenchmark.Run(seconds / 4);
    foreach (var precision in ComputePrecision.Native)
    {
        var what = TrainedNetwork.Ddpm28;
        using var training = new TrainingSpeed(what, precision);
        var before = MachineRates.Measure(1);
        var step = Timing.Median(training.Step, seconds);
        var rates = MachineRates.Between(before, MachineRates.Measure(1));
        var rate = what.GigaflopsPerStep / step;
        Console.WriteLine(FormattableString.Invariant($"{what.Name}, {precision}: {what.BatchSize / step:0.0} images/s, {rate:0} GFLOP/s = {rate / rates.Matrices(ComputePrecision.Native[0]):0.00} of {ComputePrecision.Default} GEMM (PyTorch {what.PyTorchShare:0.00}, goal {what.Goal:0.00}), {rate / rates.ConvolutionFp32:0.00} of fp32 convolution"));
        Console.WriteLine(FormattableString.Invariant($"  {rates}; process {Environment.WorkingSet / 1e6:0} MB"));
        if (precision == ComputePrecision.Native[0])
        {
            if (threads == 1)
                oneThread = step;
            else if (oneThread > 0)
                Console.WriteLine(FormattableString.Invariant($"  {threads} threads give {oneThread / step:0.00} times one thread"));
        }
        WriteShares(training, step);
    }
    foreach (var row in new SpeedTest(ComputePrecision.Native[0], seconds / 2).Run())
        Console.WriteLine(FormattableString.Invariant($"{row.What}, {row.Precision}: {row.Seconds:0.000} s, {row.Gigaflops / row.Seconds:0} GFLOP/s, {row.OfMatrix:0.00} of GEMM, {row.OfConvolution:0.00} of convolution"));
}

KeepMemory();
ExtractionBenchmark.Run(seconds / 4); // on all threads, as evaluate does
set_num_threads(1);
Console.WriteLine("\n1 thread, memory kept");
foreach (var objective in new[] { "dcgan", "hinge", "wgan-gp", "r3gan" })
    WriteGan(objective, seconds);

// as bruma train gan does: page faults take more than half of a step otherwise
static void KeepMemory()
{
    if (!OperatingSystem.IsLinux())
        return;
    _ = mallopt(-4, 0); // M_MMAP_MAX
    _ = mallopt(-1, int.MaxValue); // M_TRIM_THRESHOLD
    _ = mallopt(-2, 256 << 20); // M_TOP_PAD

    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int mallopt(int parameter, int value);
}

static void WriteGan(string objective, double seconds)
{
    using var game = new GanBenchmark(objective);
    var before = MachineRates.Measure(1);
    var images = GanBenchmark.BatchSize / Timing.Median(game.Step, seconds);
    var rate = MachineRates.Between(before, MachineRates.Measure(1)).ConvolutionFp32;
    Console.WriteLine(FormattableString.Invariant($"GAN 28x28 {objective}: {images:0} images/s x {GanBenchmark.GigaflopsPerImage} GFLOP = {images * GanBenchmark.GigaflopsPerImage / rate:0.00} of fp32 convolution ({rate:0} GFLOP/s){(objective is "dcgan" or "hinge" ? "; goal 0.5" : ", counted as if it did only the arithmetic of dcgan")}"));
}

static void WriteShares(TrainingSpeed training, double step)
{
    var kinds = OperatorShares.Measure(training.Network, training.Step, 0.2);
    kinds["optimizer"] = training.OptimizerSeconds(1);
    kinds["rest (copies, sums, noise, data)"] = step - kinds.Values.Sum();
    Console.WriteLine("  " + string.Join(", ", kinds.OrderByDescending(kind => kind.Value).Select(kind => FormattableString.Invariant($"{kind.Key} {kind.Value / step:0%}"))));
}
