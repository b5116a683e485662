using System.Text;

namespace Bruma.Training;

/// <summary>Writes each step to <c>stats.jsonl</c>, flushed at once, and to TensorBoard's event file.</summary>
public sealed class RunRecorder : IDisposable
{
    private readonly string _root;
    private readonly FileStream _stats;
    private readonly EventFile _events;

    internal RunRecorder(string root, string stats)
    {
        _root = root;
        _stats = new FileStream(stats, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        _events = new EventFile(root);
    }

    /// <exception cref="BrumaException">The disk is full or the folder is gone.</exception>
    public void Write(StepReport report) => RunFolder.Guard(_root, () =>
    {
        _stats.Write(Encoding.UTF8.GetBytes(report.ToJson() + "\n"));
        _events.Write(report);
        return this;
    });

    public void Dispose()
    {
        _stats.Dispose();
        _events.Dispose();
    }
}
