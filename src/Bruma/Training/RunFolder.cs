using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Training;

/// <summary>The folder of a run: what the trainer writes and whoever watches reads.</summary>
/// <remarks><c>config.json</c>, <c>provenance.json</c>, <c>stats.jsonl</c>, <c>log.txt</c>, <c>samples/</c>, <c>checkpoints/step-NNNNNNN/</c>.</remarks>
public sealed class RunFolder
{
    private const string SumsFile = "state.json";
    private const string CheckpointsFolder = "checkpoints";

    private RunFolder(string path) => Root = path;

    public string Root { get; }

    public string Config => Path.Combine(Root, "config.json");

    public string Model => Path.Combine(Root, "model");

    private string Stats => Path.Combine(Root, "stats.jsonl");

    private string Checkpoints => Path.Combine(Root, CheckpointsFolder);

    private string Unfinished => Path.Combine(Root, ".checkpoint");

    /// <exception cref="BrumaException">The folder holds something already.</exception>
    public static void CheckNew(string path)
    {
        if (File.Exists(Path.Combine(path, "config.json")))
            throw new BrumaException($"{path}: a run is there already; go on with bruma resume {path}, or choose another --output.");
        if (File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any()))
            throw new BrumaException($"{path}: not empty; choose a new folder for --output.");
    }

    /// <exception cref="BrumaException">The folder holds something already, or cannot be written.</exception>
    public static RunFolder Create(string path, string config)
    {
        CheckNew(path);
        return Guard(path, () =>
        {
            var folder = new RunFolder(path);
            Directory.CreateDirectory(folder.Checkpoints);
            Directory.CreateDirectory(Path.Combine(path, "samples"));
            AtomicFile.WriteText(folder.Config, config);
            return folder;
        });
    }

    /// <summary>Whether a folder is that of a run, finished or not.</summary>
    public static bool IsRun(string path) => Directory.Exists(Path.Combine(path, CheckpointsFolder));

    /// <summary>What there is to say when a run's model is asked for before there is one.</summary>
    /// <param name="flag">The option that named it; null where there is none.</param>
    public static BrumaException HasNoModel(string path, string? flag = null) => new($"{(flag is null ? "" : $"{flag} ")}{path}: the run is not finished and has no model yet; finish it with bruma resume {path}.");

    /// <summary>Opens a run to go on with; what a killed save left behind is removed.</summary>
    public static RunFolder Open(string path)
    {
        if (!File.Exists(Path.Combine(path, "config.json")))
            throw new BrumaException($"{path}: no run there (no config.json); give the folder that bruma train wrote.");
        return Guard(path, () =>
        {
            var folder = new RunFolder(path);
            if (Directory.Exists(folder.Unfinished))
                Directory.Delete(folder.Unfinished, recursive: true);
            Directory.CreateDirectory(folder.Checkpoints);
            Directory.CreateDirectory(Path.Combine(path, "samples"));
            return folder;
        });
    }

    /// <summary>The newest checkpoint and its step, its sums checked; null before the first.</summary>
    public (string Folder, long Step)? NewestCheckpoint()
    {
        var newest = StepFolders().LastOrDefault();
        if (newest is null)
            return null;
        using var state = PythonJson.ParseFile(Path.Combine(newest, SumsFile));
        if (!state.RootElement.TryGetProperty("sha256", out var sums) || sums.ValueKind != JsonValueKind.Object || !sums.EnumerateObject().Any() || !state.RootElement.TryGetProperty("step", out var step) || !step.TryGetInt64(out var number))
            throw new BrumaException($"{Path.Combine(newest, SumsFile)}: has no step or no sums; delete {newest} to go on from the checkpoint before.");
        foreach (var sum in sums.EnumerateObject())
        {
            var path = Path.Combine(newest, sum.Name);
            if (!File.Exists(path) || FileHash.Sha256(path) != sum.Value.GetString())
                throw new BrumaException($"{path}: damaged or missing (its SHA-256 is not the one in {SumsFile}); delete {newest} to go on from the checkpoint before.");
        }
        return (newest, number);
    }

    /// <summary>Writes a checkpoint beside <c>checkpoints/</c> and moves it in when it is whole.</summary>
    /// <param name="write">Writes safetensors files into the folder that it is given; each gets its sum.</param>
    /// <param name="keep">Checkpoints to keep; 0 keeps all.</param>
    public void SaveCheckpoint(long step, Action<string> write, int keep = 0) => Guard(Root, () =>
    {
        if (Directory.Exists(Unfinished))
            Directory.Delete(Unfinished, recursive: true);
        try
        {
            write(Unfinished);
        }
        catch (BrumaException)
        {
            Directory.Delete(Unfinished, recursive: true); // on a full disk its space is what the next try needs
            throw;
        }
        var sums = Directory.EnumerateFiles(Unfinished, "*.safetensors").Order(StringComparer.Ordinal).ToDictionary(file => Path.GetFileName(file), FileHash.Sha256);
        AtomicFile.WriteText(Path.Combine(Unfinished, SumsFile), JsonSerializer.Serialize(new { step, sha256 = sums }, ReadableJson.Options) + "\n");
        var target = Path.Combine(Checkpoints, $"step-{step:D7}");
        if (Directory.Exists(target))
            Directory.Delete(target, recursive: true);
        Directory.Move(Unfinished, target);
        if (keep > 0)
            foreach (var old in StepFolders().SkipLast(keep))
                Directory.Delete(old, recursive: true);
        return this;
    });

    /// <summary>Opens <c>stats.jsonl</c> and a new event file for further steps; lines beyond the step that is resumed from are cut.</summary>
    public RunRecorder Record(long step) => Guard(Root, () =>
    {
        var kept = File.Exists(Stats) ? [.. File.ReadLines(Stats).TakeWhile(line => StepOf(line) is { } found && found <= step)] : Array.Empty<string>();
        AtomicFile.WriteText(Stats, string.Concat(kept.Select(line => line + "\n")));
        return new RunRecorder(Root, Stats);
    });

    /// <summary>Says what the run was made of and where: <c>provenance.json</c>.</summary>
    public void WriteProvenance(string precision, string dataSha256) => Guard(Root, () =>
    {
        var provenance = new
        {
            data_sha256 = dataSha256,
            bruma = VersionOf(typeof(RunFolder)),
            torchsharp = VersionOf(typeof(TorchSharp.torch)),
            dotnet = Environment.Version.ToString(),
            precision,
            threads = TorchSharp.torch.get_num_threads(),
            processors = Environment.ProcessorCount,
            system = System.Runtime.InteropServices.RuntimeInformation.OSDescription,
            architecture = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString(),
            started = DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture),
        };
        AtomicFile.WriteText(Path.Combine(Root, "provenance.json"), JsonSerializer.Serialize(provenance, ReadableJson.Options) + "\n");
        return this;

        static string VersionOf(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
    });

    public void Log(string line) => Guard(Root, () =>
    {
        File.AppendAllText(Path.Combine(Root, "log.txt"), $"{DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture)} {line}\n");
        return this;
    });

    /// <summary>The steps and losses written so far.</summary>
    public IReadOnlyList<(long Step, double Loss, double LearningRate)> ReadStats() =>
        [.. ReadStats("step", "loss", "learning_rate").Select(row => ((long)row[0], row[1], row[2]))];

    /// <summary>The numbers of every step written so far, by their names; NaN where a step has none.</summary>
    public IReadOnlyList<double[]> ReadStats(params string[] names)
    {
        var rows = new List<double[]>();
        foreach (var line in File.ReadLines(Stats))
        {
            using var json = JsonDocument.Parse(line);
            rows.Add([.. names.Select(name => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN)]);
        }
        return rows;
    }

    private IEnumerable<string> StepFolders() => Directory.Exists(Checkpoints)
        ? Directory.EnumerateDirectories(Checkpoints, "step-*").Order(StringComparer.Ordinal)
        : [];

    private static long? StepOf(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.GetProperty("step").GetInt64();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null; // the line that a killed run was writing
        }
    }

    internal static T Guard<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BrumaException($"{path}: cannot be written ({e.Message.TrimEnd('.')}); free space or choose another folder. The last checkpoint is whole.", e);
        }
    }
}
