using System.Diagnostics;
using Bruma.Recipes.Adaptation;
using Bruma.Training;

namespace Bruma.Recipes;

/// <summary>Trains for a time in place of a number of steps, for comparisons: a short trial says how many steps will fit, so that schedules end when the time does.</summary>
internal static class TimedTraining
{
    private const double TrialShare = 0.04;
    private const double LeastTrialSeconds = 2;
    private const double Reserve = 0.97; // of the steps that the trial promises, so that most runs end by themselves
    private const int Endless = int.MaxValue / 2;

    /// <param name="folder">Of the run; the trial's folder is beside it for a while.</param>
    /// <param name="begin">Begins a run of so many steps in a folder.</param>
    /// <param name="tell">Told what happens, a line at a time.</param>
    /// <returns>The trained run, whose model is written, and the seconds that its steps took.</returns>
    public static (ITrainingRun Training, double Seconds) Run(string folder, double minutes, Func<string, int, ITrainingRun> begin, Action<string>? tell, CancellationToken cancellationToken)
    {
        var (name, seconds) = (Path.GetFileName(folder), 60 * minutes);
        var trial = Path.Combine(Path.GetDirectoryName(folder)!, $".trial-{name}");
        double rate;
        using (var tried = begin(trial, Endless))
        {
            Train(tried, Math.Max(LeastTrialSeconds, TrialShare * seconds), cancellationToken);
            rate = tried.SecondsPerStep == 0 ? 1 : 1 / tried.SecondsPerStep;
        }
        Directory.Delete(trial, recursive: true);
        var steps = (int)Math.Clamp(Reserve * seconds * rate, 1, Endless);
        tell?.Invoke(FormattableString.Invariant($"{name}: {steps} steps in about {minutes:0.##} minutes"));
        var training = begin(folder, steps);
        try
        {
            Train(training, seconds, cancellationToken);
            foreach (var line in training.Finish())
                tell?.Invoke($"  {line}");
            return (training, training.Step * training.SecondsPerStep);
        }
        catch
        {
            training.Dispose();
            throw;
        }
    }

    /// <summary>Pictures that the model was updated on.</summary>
    public static long ImagesSeen(ITrainingRun training) => training.Step * training switch
    {
        AdaptationRun run => run.Options.BatchSize,
        GanTraining gan => gan.Options.BatchSize,
        _ => ((DiffusionTraining)training).Options.BatchSize,
    };

    private static void Train(ITrainingRun training, double seconds, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = Stopwatch.StartNew();
        foreach (var _ in training.Run(stop.Token))
            if (watch.Elapsed.TotalSeconds >= seconds)
                stop.Cancel();
        cancellationToken.ThrowIfCancellationRequested();
    }
}
