using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bruma.Recipes.Speed;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma bench</c>: what this machine makes of Stable Diffusion's networks.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var precision = new Option<string?>("--precision") { Description = "bf16 or fp32; without it what this processor computes natively." };
        var seconds = new Option<double>("--seconds") { Description = "How long each row is repeated.", DefaultValueFactory = _ => 10 };
        var threads = new Option<int>("--threads") { Description = "Threads; without it as many as the processor has." };
        var json = new Option<bool>("--json") { Description = "One JSON object per row instead of a table." };
        var command = new Command("bench", "Measure this machine on random weights, in at most three minutes: matrix products, convolutions, a U-Net step, decoding, training. Needs 3 GB of memory. Example: bruma bench --threads 1")
        {
            precision, seconds, threads, json,
        };
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(seconds) is not (> 0 and <= 60))
                throw new UsageException($"--seconds {parsed.GetValue(seconds)}: must be above 0 and at most 60.");
            var type = ComputePrecision.TypeOf(Native.Precision(parsed.GetValue(precision)));
            if (!ComputePrecision.Native.Contains(type))
                throw new UsageException("--precision bf16: this processor has no bf16 and would imitate it, hundreds of times slower; measure fp32.");
            var count = Native.UseThreads(parsed.GetValue(threads));
            var test = new SpeedTest(type, parsed.GetValue(seconds));
            Native.KeepMemory();
            if (!parsed.GetValue(json))
                Console.WriteLine($"{count} {(count == 1 ? "thread" : "threads")}\n{"",-58}{"",6}{"seconds",10}{"GFLOP/s",10}{"of GEMM",9}{"of conv",9}");
            foreach (var row in test.Run(cancellation))
                Console.WriteLine(parsed.GetValue(json) ? Json(row) : Line(row));
            return Task.FromResult(0);
        });
        return command;
    }

    private static string Line(SpeedRow row) => string.Create(CultureInfo.InvariantCulture,
        $"{row.What,-58}{row.Precision,6}{row.Seconds,10:0.000}{row.Gigaflops / row.Seconds,10:0}{row.OfMatrix,9:0.00}{row.OfConvolution,9:0.00}");

    private static string Json(SpeedRow row) => JsonSerializer.Serialize(new
    {
        what = row.What,
        precision = row.Precision,
        threads = get_num_threads(),
        seconds = row.Seconds,
        gflops_per_second = row.Gigaflops / row.Seconds,
        of_matrix_rate = row.OfMatrix,
        of_convolution_rate = row.OfConvolution,
    });
}
