using Bruma.Recipes;
using Bruma.Training;
using Spectre.Console;

namespace Bruma.Cli;

/// <summary>Runs a training recipe in the foreground: progress, Ctrl-C, and what to say at the end.</summary>
internal static class TrainingSession
{
    /// <param name="start">Checks the options and begins the run.</param>
    public static Task<int> Start(Func<ITrainingRun> start, bool json, CancellationToken cancellation) =>
        OnOwnThread(() => Run(start(), json, cancellation));

    public static Task<int> Resume(string folder, bool json, CancellationToken cancellation) =>
        OnOwnThread(() =>
        {
            var training = TrainingRuns.Resume(folder);
            Native.UseThreads(training.Threads);
            if (training.Finished)
            {
                using (training)
                    Console.WriteLine($"{folder}: the run is finished after {training.Steps} steps; its model is {Path.Combine(folder, "model")}.");
                return 0;
            }
            return Run(training, json, cancellation);
        });

    /// <summary>Options that no run could have are wrong usage.</summary>
    public static T Checked<T>(Func<T> options)
    {
        try
        {
            return options();
        }
        catch (BrumaException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static int Run(ITrainingRun training, bool json, CancellationToken cancellation)
    {
        using var session = training;
        if (training.PrefersMemory)
            Native.PreferMemory();
        else if (training.KeepsMemory)
            Native.KeepMemory();
        foreach (var line in training.Introduction)
            (json ? Console.Error : Console.Out).WriteLine(line);

        var completed = json ? RunAsJson(training, cancellation) : Console.IsOutputRedirected ? RunAsLines(training, cancellation) : RunLive(training, cancellation);
        if (!completed)
        {
            Console.Error.WriteLine($"Interrupted after step {training.Step}, which is saved. Go on with: bruma resume {training.Folder}");
            return BrumaCommand.Interrupted;
        }
        foreach (var line in training.Finish())
            (json ? Console.Error : Console.Out).WriteLine(line);
        return 0;
    }

    private static bool RunAsJson(ITrainingRun training, CancellationToken cancellation)
    {
        foreach (var report in training.Run(cancellation))
            Console.WriteLine(report.ToJson());
        return training.Step >= training.Steps;
    }

    private static bool RunAsLines(ITrainingRun training, CancellationToken cancellation)
    {
        var next = DateTime.MinValue;
        foreach (var report in training.Run(cancellation))
            if (DateTime.UtcNow >= next || report.Step == training.Steps)
            {
                Console.WriteLine(Line(training, report));
                next = DateTime.UtcNow.AddSeconds(10);
            }
        return training.Step >= training.Steps;
    }

    private static bool RunLive(ITrainingRun training, CancellationToken cancellation)
    {
        AnsiConsole.Progress().Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn()).Start(context =>
        {
            var task = context.AddTask("starting", maxValue: training.Steps);
            task.Value = training.Step;
            foreach (var report in training.Run(cancellation))
            {
                task.Description = Markup.Escape(Line(training, report));
                task.Value = report.Step;
            }
        });
        return training.Step >= training.Steps;
    }

    private static string Line(ITrainingRun training, StepReport report)
    {
        var left = TimeSpan.FromSeconds((training.Steps - report.Step) * training.SecondsPerStep);
        return FormattableString.Invariant($"step {report.Step}/{training.Steps}  loss {report.Loss:0.0000}  lr {report.LearningRate:0.0e+00}  {training.Rate}  {left:h\\:mm\\:ss} left");
    }

    /// <summary>Scopes belong to a thread, so training stays on one.</summary>
    internal static Task<int> OnOwnThread(Func<int> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
