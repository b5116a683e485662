using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Bruma.Recipes.Adaptation;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma plan train</c>: what a run will take, measured on two steps of it.</summary>
internal static class PlanCommand
{
    private const int MeasuredSteps = 2;
    private const double LongRun = 12 * 3600;

    public static Command Create()
    {
        var train = new Command("train", "A training run, with the options of bruma train.");
        foreach (var recipe in AdaptCommands.Create(isPlan: true))
            train.Subcommands.Add(recipe);
        return new Command("plan", "Measure two steps of a run and say what the whole will take: time, memory, disk. Example: bruma plan train lora --model DIR --data photos/ --steps 1000") { train };
    }

    public static int Run(AdaptationOptions options, bool json)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"bruma-plan-{Environment.ProcessId}");
        try
        {
            using var run = AdaptationRun.Start(folder, options with { Steps = MeasuredSteps + 2, Epochs = null, SampleEvery = 0, CheckpointEvery = int.MaxValue });
            var watch = new Stopwatch();
            foreach (var report in run.Run())
            {
                if (report.Step == 1)
                    watch.Start(); // the first step warms up
                if (report.Step == 1 + MeasuredSteps)
                    break;
            }
            var steps = options.Epochs is { } epochs ? (long)Math.Ceiling(epochs * run.Pictures / (double)(options.BatchSize * options.GradientAccumulationSteps)) : options.Steps;
            Tell(new Plan(steps, watch.Elapsed.TotalSeconds / MeasuredSteps, Process.GetCurrentProcess().PeakWorkingSet64 / 1e9, Disk(options, run.Parameters, steps)), options, json);
            return 0;
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Checkpoints hold weights, average, two moments and the best weights, in fp32.</summary>
    private static double Disk(AdaptationOptions options, long parameters, long steps)
    {
        var kept = steps / options.CheckpointEvery + 1;
        return parameters * 4 * 5 * (options.CheckpointsTotalLimit > 0 ? Math.Min(kept, options.CheckpointsTotalLimit + 1) : kept) / 1e9;
    }

    private static void Tell(Plan plan, AdaptationOptions options, bool json)
    {
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9;
        var advice = new List<string>();
        if (plan.MemoryGigabytes > 0.9 * available)
            advice.Add($"memory is short ({available:0.0} GB): {(options.GradientCheckpointing ? "" : "add --gradient-checkpointing, ")}choose a smaller --batch-size or --resolution{(options.Recipe == AdaptationOptions.TextToImage ? ", or train a LoRA (bruma train lora)" : "")}");
        if (plan.Hours * 3600 > LongRun)
            advice.Add($"that is long: choose fewer --steps or a smaller --resolution{(options.Precision == "fp32" ? ", or --precision bf16 where the processor has it" : "")}");
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { steps = plan.Steps, seconds_per_step = plan.SecondsPerStep, hours = plan.Hours, memory_gb = plan.MemoryGigabytes, disk_gb = plan.DiskGigabytes, advice }));
            return;
        }
        Console.WriteLine(FormattableString.Invariant($"time: {TimeSpan.FromHours(plan.Hours):d\\.hh\\:mm\\:ss} for {plan.Steps} steps of {plan.SecondsPerStep:0.00} s, without sheets and checkpoints"));
        Console.WriteLine(FormattableString.Invariant($"memory: {plan.MemoryGigabytes:0.00} GB at the peak, of {available:0.0} GB"));
        Console.WriteLine(FormattableString.Invariant($"disk: {plan.DiskGigabytes:0.00} GB of checkpoints"));
        foreach (var line in advice)
            Console.WriteLine(line);
    }

    private sealed record Plan(long Steps, double SecondsPerStep, double MemoryGigabytes, double DiskGigabytes)
    {
        public double Hours => Steps * SecondsPerStep / 3600;
    }
}
