using System.Diagnostics;
using Bruma.Training;

namespace Bruma.Recipes.Emoji;

/// <summary>What every stage's settings have.</summary>
/// <param name="Steps">Optimizer updates.</param>
/// <param name="BatchSize">Examples per update.</param>
/// <param name="MeasureEvery">Updates between measures on held-out data.</param>
public sealed record EmojiStageSettings(string Name, long Steps, int BatchSize, int MeasureEvery, int Threads);

/// <summary>A stage of the emoji recipe in its run folder: checkpoints by the clock, measures on held-out data by the step.</summary>
public abstract class EmojiStage<TBatch> : ITrainingRun, IMeasuredStage
    where TBatch : IDisposable
{
    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(5);
    private const int CheckpointsKept = 2;

    private readonly EmojiStageSettings _settings;
    private readonly Stopwatch _watch = new();
    private long _stepsTimed;

    protected EmojiStage(RunFolder run, EmojiStageSettings settings)
    {
        (RunFolder, _settings) = (run, settings);
        Measures = new EmojiMeasures(run.Root);
    }

    public string Folder => RunFolder.Root;

    public long Step => Trainer.Step;

    public long Steps => _settings.Steps;

    public bool Finished => Step >= Steps && Directory.Exists(RunFolder.Model);

    public int Threads => _settings.Threads;

    public bool PrefersMemory => false;

    public bool KeepsMemory => true;

    public double SecondsPerStep => _stepsTimed == 0 ? 0 : _watch.Elapsed.TotalSeconds / _stepsTimed;

    public string Rate => FormattableString.Invariant($"{(SecondsPerStep == 0 ? 0 : _settings.BatchSize / SecondsPerStep):0} examples/s");

    public virtual IEnumerable<string> Introduction =>
    [
        FormattableString.Invariant($"{_settings.Name}: {Trainer.Parameters.Count / 1e6:0.00} M parameters, batches of {_settings.BatchSize}, {Trainer.Parameters.Precision}, {Steps} steps into {Folder}{(Step > 0 ? $", from step {Step}" : "")}"),
    ];

    /// <summary>What was measured on held-out data.</summary>
    public EmojiMeasures Measures { get; }

    protected RunFolder RunFolder { get; }

    protected abstract Trainer<TBatch> Trainer { get; }

    public IEnumerable<StepReport> Run(CancellationToken cancellationToken = default)
    {
        using var record = RunFolder.Record(Step);
        Measures.CutAfter(Step == 0 ? -1 : Step); // the start is measured again
        RunFolder.Log($"{_settings.Name} from step {Step}");
        if (Step == 0)
            MeasureNow(0);
        var sinceCheckpoint = Stopwatch.StartNew();
        _watch.Restart();
        foreach (var report in Trainer.Run(Batches, cancellationToken))
        {
            _stepsTimed++;
            record.Write(report);
            AfterStep(report.Step);
            if (report.Step % _settings.MeasureEvery == 0 || report.Step == Steps)
                MeasureNow(report.Step);
            if (report.Step == Steps || cancellationToken.IsCancellationRequested || sinceCheckpoint.Elapsed > BetweenCheckpoints)
            {
                RunFolder.SaveCheckpoint(report.Step, Save, CheckpointsKept);
                sinceCheckpoint.Restart();
            }
            yield return report;
        }
        RunFolder.Log(FormattableString.Invariant($"{_settings.Name} to step {Step}, {Rate}"));
    }

    public abstract IEnumerable<string> Finish();

    public virtual void Dispose()
    {
        Trainer.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The endless stream of batches from a given one on.</summary>
    protected abstract IEnumerable<TBatch> Batches(long first);

    /// <summary>Measures with the averaged weights.</summary>
    protected abstract IReadOnlyDictionary<string, double> Measure(long step);

    protected virtual void AfterStep(long step)
    {
    }

    protected virtual void Save(string folder) => Trainer.Save(folder);

    protected virtual void Restore(string folder, long step) => Trainer.Restore(folder, step);

    /// <summary>Goes on from the newest checkpoint, if there is one.</summary>
    protected void RestoreNewest()
    {
        if (RunFolder.NewestCheckpoint() is { } checkpoint)
            Restore(checkpoint.Folder, checkpoint.Step);
    }

    private void MeasureNow(long step)
    {
        _watch.Stop();
        Measures.Add(step, Trainer.WithAverage(() => Measure(step)));
        _watch.Start();
    }
}
