namespace Bruma.Training;

/// <summary>A training run in its folder, as whoever runs it sees it: begun or resumed, gone on with, finished.</summary>
public interface ITrainingRun : IDisposable
{
    string Folder { get; }

    /// <summary>Updates done.</summary>
    long Step { get; }

    /// <summary>Updates of the whole run.</summary>
    long Steps { get; }

    /// <summary>Whether the model is written.</summary>
    bool Finished { get; }

    /// <summary>Threads that the run began with and that it needs for the same bits.</summary>
    int Threads { get; }

    /// <summary>Whether freed memory should go back at once, for more time.</summary>
    bool PrefersMemory { get; }

    /// <summary>Whether freed memory should be kept for the next step: small networks on large batches spend up to half of their time on page faults otherwise.</summary>
    bool KeepsMemory => false;

    /// <summary>Mean since it was begun or resumed; 0 before the first update.</summary>
    double SecondsPerStep { get; }

    /// <summary>How fast it goes, for people: <c>76 images/s</c>.</summary>
    string Rate { get; }

    /// <summary>What to tell before it starts.</summary>
    IEnumerable<string> Introduction { get; }

    /// <summary>Trains to the end or until cancelled, with checkpoints and samples on the way; the last step is always saved.</summary>
    IEnumerable<StepReport> Run(CancellationToken cancellationToken = default);

    /// <summary>Writes the model and the report of a run that has taken its last step.</summary>
    /// <returns>What to tell.</returns>
    IEnumerable<string> Finish();
}
