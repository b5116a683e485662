using System.Diagnostics;
using Bruma.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes;

/// <summary>The loop that runs on texts share: steps, checkpoints, samples, progress.</summary>
/// <typeparam name="TBatch">A micro-batch.</typeparam>
public abstract class TextTraining<TBatch> : ITrainingRun
    where TBatch : IDisposable
{
    private readonly Stopwatch _watch = new();
    private long _stepsTimed;

    /// <param name="network">Initialised; disposed with the run.</param>
    protected TextTraining(RunFolder run, RunSettings settings, Module network, BatchLoss<TBatch> loss, OptimizerOptions optimizer)
    {
        (Files, Settings, Network) = (run, settings, network);
        Trainer = new Trainer<TBatch>(network, loss, new TrainerOptions(settings.Steps, settings.Schedule, optimizer, null, 1, settings.MaxGradientNorm, settings.Seed), ComputePrecision.TypeOf(settings.Precision));
    }

    public string Folder => Files.Root;

    public long Step => Trainer.Step;

    public long Steps => Settings.Steps;

    public bool Finished => File.Exists(Path.Combine(Files.Model, "config.json"));

    public int Threads => Settings.Threads;

    public bool PrefersMemory => false;

    public double SecondsPerStep => _stepsTimed == 0 ? 0 : _watch.Elapsed.TotalSeconds / _stepsTimed;

    public abstract string Rate { get; }

    public abstract IEnumerable<string> Introduction { get; }

    protected RunFolder Files { get; }

    protected RunSettings Settings { get; }

    protected Module Network { get; }

    protected Trainer<TBatch> Trainer { get; }

    public IEnumerable<StepReport> Run(CancellationToken cancellationToken = default)
    {
        using var record = Files.Record(Step);
        Files.Log($"from step {Step}");
        _watch.Restart();
        foreach (var step in Trainer.Run(Batches, cancellationToken))
        {
            _stepsTimed++;
            var report = Settings.SampleEvery > 0 && (step.Step % Settings.SampleEvery == 0 || step.Step == Steps) ? step with { Extra = Sampled(step.Step) } : step;
            record.Write(report);
            if (step.Step % Settings.CheckpointEvery == 0 || step.Step == Steps || cancellationToken.IsCancellationRequested)
                Files.SaveCheckpoint(step.Step, Trainer.Save, Settings.CheckpointsTotalLimit);
            yield return report;
        }
        Files.Log($"to step {Step}");
    }

    public abstract IEnumerable<string> Finish();

    public void Dispose()
    {
        Trainer.Dispose();
        Network.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Goes on from the newest checkpoint, if there is one.</summary>
    protected void Restore()
    {
        if (Files.NewestCheckpoint() is { } checkpoint)
            Trainer.Restore(checkpoint.Folder, checkpoint.Step);
    }

    /// <summary>The endless stream of batches from a given one on, each a pure function of its number.</summary>
    protected abstract IEnumerable<TBatch> Batches(long first);

    /// <summary>Writes what the network can do by now into <c>samples/</c>, in evaluation mode.</summary>
    /// <returns>Numbers for <c>stats.jsonl</c>.</returns>
    protected abstract IReadOnlyList<KeyValuePair<string, double>> Sample(long step);

    /// <summary>Does something with the network in evaluation mode and without gradients, outside the time that counts.</summary>
    protected T Evaluated<T>(Func<T> work)
    {
        _watch.Stop();
        using var scope = NewDisposeScope();
        using var still = no_grad();
        Network.eval();
        try
        {
            return work();
        }
        finally
        {
            Network.train();
            _watch.Start();
        }
    }

    private IReadOnlyList<KeyValuePair<string, double>> Sampled(long step) => Evaluated(() => Sample(step));
}
