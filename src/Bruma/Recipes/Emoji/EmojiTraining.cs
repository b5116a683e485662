using Bruma.Data.Emoji;
using Bruma.Hub;
using Bruma.Training;

namespace Bruma.Recipes.Emoji;

/// <summary>The whole emoji recipe: stages in run folders of their own, one after the other; what is finished is not repeated.</summary>
public sealed class EmojiTraining : ITrainingRun
{
    private readonly RunFolder _run;
    private readonly EmojiOptions _options;
    private readonly List<Stage> _stages;
    private readonly List<string> _told = [];
    private ITrainingRun? _current;

    private EmojiTraining(RunFolder run, EmojiOptions options)
    {
        (_run, _options) = (run, options);
        var splits = EmojiSplits.Committed;
        string Place(string name) => Path.Combine(run.Root, name);
        _stages =
        [
            new("text", options.Text().Steps, folder => EmojiTextTraining.Start(folder, options.Text(), splits)),
            new("scorer", options.Scorer().Steps, folder => EmojiTextTraining.Start(folder, options.Scorer(), splits)),
            new("vae", options.Vae().Steps, folder => EmojiVaeTraining.Start(folder, options.Vae(), splits)),
            new("unet", options.Unet(run.Root).Steps, folder => EmojiUnetTraining.Start(folder, options.Unet(run.Root), splits)),
        ];
        _stages = [.. _stages.Where(stage => options.Only is null || stage.Name == options.Only)];
        foreach (var stage in _stages)
            stage.Folder = Place(stage.Name);
    }

    /// <summary>The stages in their order.</summary>
    public static IReadOnlyList<string> StageNames { get; } = ["text", "scorer", "vae", "unet"];

    public string Folder => _run.Root;

    public long Step => _stages.Sum(stage => stage.Finished ? stage.Steps : 0) + (_current is { } current && !IsFinished(current.Folder) ? current.Step : 0);

    public long Steps => _stages.Sum(stage => (long)stage.Steps);

    public bool Finished => _stages.All(stage => stage.Finished);

    public int Threads => _options.Threads;

    public bool PrefersMemory => false;

    public bool KeepsMemory => true;

    public double SecondsPerStep => _current?.SecondsPerStep ?? 0;

    public string Rate => _current is null ? "" : $"{Path.GetFileName(_current.Folder)} {_current.Rate}";

    public IEnumerable<string> Introduction => [$"stages: {string.Join(", ", _stages.Select(stage => stage.Finished ? $"{stage.Name} (finished)" : stage.Name))}; each in its folder of {Folder}"];

    /// <exception cref="BrumaException">Data or folder are not usable.</exception>
    public static EmojiTraining Start(string folder, EmojiOptions options)
    {
        RunFolder.CheckNew(folder);
        using (var data = EmojiDataset.Open(options.Data))
            if (!options.Quick && data.Concepts.Count < EmojiSplits.Committed.H2.Count)
                throw new BrumaException($"{options.Data}: has {data.Concepts.Count} concepts only; build the whole set with bruma data build emoji, or train with --quick.");
        return new EmojiTraining(RunFolder.Create(folder, options.ToJson()), options);
    }

    public static EmojiTraining Resume(string folder)
    {
        var run = RunFolder.Open(folder);
        return new EmojiTraining(run, EmojiOptionsJson.Read(run.Config, EmojiOptionsJson.Default.EmojiOptions));
    }

    public IEnumerable<StepReport> Run(CancellationToken cancellationToken = default)
    {
        foreach (var stage in _stages)
        {
            if (stage.Finished)
                continue;
            var before = Step;
            _current?.Dispose();
            _current = File.Exists(Path.Combine(stage.Folder, "config.json")) ? TrainingRuns.Resume(stage.Folder) : stage.Start(stage.Folder);
            foreach (var line in _current.Introduction)
                Tell(line);
            foreach (var report in _current.Run(cancellationToken))
                yield return report with { Step = before + report.Step };
            if (_current.Step < _current.Steps)
                yield break; // cancelled, and saved
            foreach (var line in _current.Finish())
                Tell(line);
            Judge(stage.Name, ((IMeasuredStage)_current).Measures.Losses());
        }
        Publish();
    }

    public IEnumerable<string> Finish() => _told;

    /// <summary>A short run shows that everything learns; one that does not is a defect.</summary>
    private void Judge(string stage, (double First, double Last) loss)
    {
        Tell(FormattableString.Invariant($"{stage}: held-out loss {loss.First:0.000} at the start, {loss.Last:0.000} at the end"));
        if (_options.Quick && !(loss.Last < loss.First))
            throw new BrumaException(FormattableString.Invariant($"{stage}: the held-out loss went from {loss.First:0.000} to {loss.Last:0.000}, but --quick must improve it; this is a defect of Bruma, please report it."));
    }

    /// <summary>The last stage's model becomes that of the run.</summary>
    private void Publish()
    {
        var (written, model) = (Path.Combine(_run.Root, "unet", "model"), _run.Model);
        if (!Directory.Exists(written) || Directory.Exists(model))
            return;
        AtomicFile.CopyFolder(written, model + ".tmp");
        Directory.Move(model + ".tmp", model);
        Tell($"model: {model}");
    }

    private void Tell(string line)
    {
        _told.Add(line);
        _run.Log(line);
    }

    public void Dispose() => _current?.Dispose();

    private static bool IsFinished(string folder) => Directory.Exists(Path.Combine(folder, "model"));

    private sealed record Stage(string Name, int Steps, Func<string, ITrainingRun> Start)
    {
        public string Folder { get; set; } = "";

        public bool Finished => IsFinished(Folder);
    }
}
