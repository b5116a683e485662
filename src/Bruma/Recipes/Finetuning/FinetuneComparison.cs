using System.Globalization;
using Bruma.Hub;

namespace Bruma.Recipes.Finetuning;

/// <summary>One trained run of a comparison, or one baseline.</summary>
/// <param name="Name">Strategy, schedule or baseline.</param>
/// <param name="Trained">Parameters that were trained.</param>
/// <param name="PeakMegabytes">Of the process while it trained; 0 where nothing was trained by steps.</param>
public sealed record ComparedRun(string Name, long Seed, double Accuracy, double MacroF1, long Trained, double Seconds, double PeakMegabytes, string Folder = "");

/// <summary>What to compare.</summary>
/// <param name="Base">Model, data and everything that the runs share.</param>
/// <param name="StaticModel">Folder of static vectors for a baseline; null for none.</param>
/// <param name="Schedules">Compared with <paramref name="SideStrategy"/>; empty for none.</param>
/// <param name="Accumulations">Micro-batches per update with the same effective batch; empty for none.</param>
public sealed record ComparisonPlan(FinetuneOptions Base, IReadOnlyList<string> Strategies, IReadOnlyList<long> Seeds, string? StaticModel, IReadOnlyList<string> Schedules, IReadOnlyList<int> Accumulations, string SideStrategy)
{
    /// <summary>Refuses what no comparison could have, each by its option's name.</summary>
    public ComparisonPlan Checked()
    {
        foreach (var strategy in Strategies)
            _ = Finetuning.Strategies.Parse(strategy);
        RunConfig.Require(Strategies.Count > 0, "--strategies", "", "one strategy or more");
        RunConfig.Require(Schedules.Count + Accumulations.Count == 0 || !Finetuning.Strategies.Parse(SideStrategy).IsClosedForm, "--side-strategy", SideStrategy, "a strategy that is trained by steps, such as head");
        foreach (var schedule in Schedules)
            _ = (Base with { LrSchedule = schedule }).Checked();
        foreach (var parts in Accumulations)
            RunConfig.Require(Base.BatchSize * Base.GradientAccumulationSteps % parts == 0, "--accumulation", parts, $"a divisor of the effective batch, {Base.BatchSize * Base.GradientAccumulationSteps}");
        return this;
    }
}

/// <summary>Ways of adapting one model to one task side by side, with baselines: whether the pretrained network was worth it, and how much of it must be trained.</summary>
/// <remarks>A comparison that was interrupted goes on: finished runs in its folder are not trained again.</remarks>
public static class FinetuneComparison
{
    /// <returns>Lines to tell, as they come; the last one names the report.</returns>
    public static IEnumerable<string> Run(string folder, ComparisonPlan plan, CancellationToken cancellation = default)
    {
        Directory.CreateDirectory(folder);
        var shared = plan.Base with { WatchTest = true };
        var known = new FrozenVectors();
        var runs = new List<ComparedRun>();
        foreach (var seed in plan.Seeds)
        {
            foreach (var run in BaselinesOf(shared with { Seed = seed }, plan.StaticModel, known))
            {
                runs.Add(run);
                yield return Line(run);
            }
            if (shared.HasTestFile())
                break; // without a split of its own no seed changes a baseline
        }
        foreach (var strategy in plan.Strategies)
            foreach (var seed in plan.Seeds.Take(Strategies.Parse(strategy).IsClosedForm && shared.HasTestFile() ? 1 : int.MaxValue)) // nor an optimum
            {
                var run = Train(Path.Combine(folder, $"{strategy}-{seed}"), strategy, shared with { Strategy = strategy, Seed = seed }, known, cancellation);
                runs.Add(run);
                yield return Line(run);
            }

        var schedules = new List<ComparedRun>();
        foreach (var schedule in plan.Schedules)
            foreach (var seed in plan.Seeds)
            {
                schedules.Add(Train(Path.Combine(folder, $"schedule-{schedule}-{seed}"), schedule, shared with { Strategy = plan.SideStrategy, LrSchedule = schedule, Seed = seed }, known, cancellation));
                yield return Line(schedules[^1]);
            }
        var accumulations = new List<ComparedRun>();
        foreach (var parts in plan.Accumulations)
        {
            var options = shared with { Strategy = plan.SideStrategy, BatchSize = shared.BatchSize * shared.GradientAccumulationSteps / parts, GradientAccumulationSteps = parts, Seed = plan.Seeds[0], Dropout = 0, Precision = "fp32" };
            accumulations.Add(Train(Path.Combine(folder, $"accumulation-{parts}"), $"{options.BatchSize} x {parts}", options, known, cancellation));
            yield return Line(accumulations[^1]);
        }
        yield return $"report: {ComparisonReport.Write(folder, plan, new ComparisonTables(runs, schedules, accumulations))}";
    }

    private static List<ComparedRun> BaselinesOf(FinetuneOptions options, string? staticModel, FrozenVectors known)
    {
        var settled = FinetuneTraining.Settled(options with { Strategy = "probe" });
        if (FinetuneTasks.Load(settled) is not ClassificationTask task)
            throw new BrumaException($"{options.Data}: the comparison is for classes; the data are for {settled.Task}.");
        using (task)
        {
            task.Known = known;
            var runs = new List<ComparedRun>();
            var watch = System.Diagnostics.Stopwatch.StartNew();
            foreach (var (name, scores, trained) in Baselines.Of(task, staticModel))
            {
                runs.Add(new ComparedRun(name, options.Seed, scores.Accuracy, scores.MacroF1, trained, watch.Elapsed.TotalSeconds, 0));
                watch.Restart();
            }
            return runs;
        }
    }

    private static ComparedRun Train(string folder, string name, FinetuneOptions options, FrozenVectors known, CancellationToken cancellation)
    {
        if (!File.Exists(Path.Combine(folder, FinetuneTraining.ResultFile)))
        {
            using var training = File.Exists(Path.Combine(folder, "config.json")) ? FinetuneTraining.Resume(folder) : FinetuneTraining.Start(folder, options, known);
            foreach (var _ in training.Run(cancellation))
            {
                // the run folder records the steps
            }
            cancellation.ThrowIfCancellationRequested();
            foreach (var _ in training.Finish())
            {
                // the comparison has its own report
            }
            var checkpoints = Path.Combine(folder, "checkpoints");
            if (Directory.Exists(checkpoints))
                Directory.Delete(checkpoints, recursive: true); // many runs, each finished
        }
        using var json = PythonJson.ParseFile(Path.Combine(folder, FinetuneTraining.ResultFile));
        var (root, test) = (json.RootElement, json.RootElement.GetProperty("test"));
        return new ComparedRun(name, options.Seed, test.GetProperty("accuracy").GetDouble(), test.GetProperty("macro_f1").GetDouble(),
            root.GetProperty("trained_parameters").GetInt64(), root.GetProperty("seconds").GetDouble(), root.GetProperty("peak_megabytes").GetDouble(), folder);
    }

    private static string Line(ComparedRun run) => string.Create(CultureInfo.InvariantCulture, $"{run.Name}, seed {run.Seed}: accuracy {run.Accuracy:P1}, macro F1 {run.MacroF1:0.000}, {run.Seconds:0.0} s");
}
