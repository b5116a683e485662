using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bruma.Adapters;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Finetuning;

/// <summary>A pretrained network adapted to a task in a run folder: begun, gone on with, finished.</summary>
public sealed class FinetuneTraining : ITrainingRun
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly RunFolder _folder;
    private readonly FinetuneTask _task;
    private readonly Strategy _strategy;
    private readonly AdaptedNetwork _network;
    private readonly Trainer<TaskBatch>? _trainer;
    private readonly EarlyStopping _stopping;
    private readonly Stopwatch _watch = new();
    private long _stepsTimed;
    private long _closedFormSteps;
    private long _peak;

    private FinetuneTraining(RunFolder folder, FinetuneOptions options, FinetuneTask task, FrozenVectors? known = null)
    {
        (_folder, Options, _task, _strategy) = (folder, options, task, Strategies.Parse(options.Strategy));
        if (task is ClassificationTask classification)
            (classification.UsesVectors, classification.Known) = (_strategy.FreezesEncoder, known ?? classification.Known);
        _network = new AdaptedNetwork(task, _strategy, options);
        _stopping = new EarlyStopping(options.Patience);
        if (!_strategy.IsClosedForm)
            _trainer = NewTrainer(new LearningRateSchedule(options.LrSchedule, options.LearningRate, (int)(options.LrWarmup * PlannedSteps), PlannedSteps));
    }

    public FinetuneOptions Options { get; }

    public string Folder => _folder.Root;

    public long Step => _trainer?.Step ?? _closedFormSteps;

    /// <summary>Less than planned once it has stopped early.</summary>
    public long Steps => _strategy.IsClosedForm ? 1 : _stopping.StoppedAt ?? PlannedSteps;

    public bool Finished => File.Exists(Path.Combine(Folder, ResultFile));

    public int Threads => Options.Threads;

    public bool PrefersMemory => Options.GradientCheckpointing;

    public double SecondsPerStep => _stepsTimed == 0 ? 0 : _watch.Elapsed.TotalSeconds / _stepsTimed;

    public string Rate => SecondsPerStep == 0 ? "" : FormattableString.Invariant($"{Options.BatchSize * Options.GradientAccumulationSteps / SecondsPerStep:0.0} examples/s");

    /// <summary>Parameters that the strategy trains.</summary>
    public long TrainedParameters => _network.parameters().Where(parameter => parameter.requires_grad).Sum(parameter => parameter.numel());

    public IEnumerable<string> Introduction =>
    [
        .. _task.Description,
        FormattableString.Invariant($"{Options.Strategy} on {Path.GetFileName(Options.Model)}: {(_trainer?.Parameters.Count ?? TrainedParameters) / 1e3:0.#} k of {_task.Network.parameters().Sum(parameter => parameter.numel()) / 1e6:0.00} M parameters are trained, {(_strategy.IsClosedForm ? "to the optimum" : $"{Steps} steps of {Options.BatchSize}{(Options.GradientAccumulationSteps > 1 ? $" x {Options.GradientAccumulationSteps}" : "")}, rate {Options.LearningRate} ({Options.LrSchedule}), {Options.Precision}")}, seed {Options.Seed}"),
    ];

    internal const string ResultFile = "result.json";

    /// <summary>Where Finish writes a model that loads again.</summary>
    public string Model => _folder.Model;

    private int StepsPerEpoch => Math.Max(1, (_task.Count(Split.Train) + Options.BatchSize * Options.GradientAccumulationSteps / 2) / (Options.BatchSize * Options.GradientAccumulationSteps));

    private int PlannedSteps => StepsPerEpoch * Options.Epochs;

    /// <summary>Begins a run. What the options leave open is settled here and written to <c>config.json</c>.</summary>
    /// <exception cref="BrumaException">Model, data or folder are not usable; nothing is written then.</exception>
    public static FinetuneTraining Start(string folder, FinetuneOptions options) => Start(folder, options, null);

    /// <param name="known">Vectors of these examples by this network, where it stays frozen.</param>
    internal static FinetuneTraining Start(string folder, FinetuneOptions options, FrozenVectors? known)
    {
        RunFolder.CheckNew(folder);
        options = Settled(options);
        var task = Load(options);
        var training = new FinetuneTraining(RunFolder.Create(folder, options.ToJson()), options, task, known);
        training._folder.WriteProvenance(options.Precision, DataSum(options.Data));
        return training;
    }

    /// <summary>Goes on with a run from its newest checkpoint, or from the start when there is none yet.</summary>
    public static FinetuneTraining Resume(string folder)
    {
        var run = RunFolder.Open(folder);
        var options = FinetuneOptions.Read(run.Config);
        var training = new FinetuneTraining(run, options, Load(options));
        if (training._trainer is { } trainer && run.NewestCheckpoint() is { } checkpoint)
        {
            trainer.Restore(checkpoint.Folder, checkpoint.Step);
            training._stopping.Restore(checkpoint.Folder, trainer.Parameters);
        }
        return training;
    }

    /// <summary>Trains with a rate that grows exponentially, to find where learning begins and where it breaks.</summary>
    /// <returns>Rate and loss, step by step; it ends when the loss has grown fourfold.</returns>
    /// <remarks>Smith 2017, arXiv:1506.01186.</remarks>
    public static IEnumerable<(double Rate, double Loss)> FindRate(FinetuneOptions options, int steps, double lowest = 1e-7, double highest = 1)
    {
        options = Settled(options) with { Epochs = 1 };
        using var training = new FinetuneTraining(null!, options, Load(options));
        if (training._trainer is null)
            throw new BrumaException($"--find-lr: the strategy {options.Strategy} has no learning rate; choose another --strategy.");
        using var trainer = training.NewTrainer(new LearningRateSchedule("exponential", lowest, 0, steps, EndRate: highest), steps);
        var (mean, best) = (0.0, double.MaxValue);
        foreach (var report in trainer.Run(training.Batches))
        {
            mean = 0.9 * mean + 0.1 * report.Loss;
            var smooth = mean / (1 - Math.Pow(0.9, report.Step));
            yield return (report.LearningRate, smooth);
            best = Math.Min(best, smooth);
            if (report.Step > steps / 10 && smooth > 4 * best)
                yield break;
        }
    }

    public IEnumerable<StepReport> Run(CancellationToken cancellationToken = default)
    {
        using var record = _folder.Record(Step);
        _folder.Log($"from step {Step}");
        _watch.Restart();
        if (_trainer is null)
        {
            var report = new StepReport(1, ((ClassificationTask)_task).FitHead(), 0, 0) { Extra = Validate() };
            (_closedFormSteps, _stepsTimed) = (1, 1);
            record.Write(report);
            yield return report;
        }
        else if (_stopping.StoppedAt is null)
        {
            _network.OpenFor(Step, PlannedSteps);
            _task.Step = Step;
            foreach (var report in _trainer.Run(Batches, cancellationToken))
            {
                _stepsTimed++;
                _peak = Math.Max(_peak, Environment.WorkingSet);
                _network.OpenFor(report.Step, PlannedSteps);
                _task.Step = report.Step;
                var full = report.Step % StepsPerEpoch == 0 || report.Step == PlannedSteps ? report with { Extra = Validate() } : report;
                record.Write(full);
                if (report.Step % Options.CheckpointEvery == 0 || report.Step == Steps || cancellationToken.IsCancellationRequested)
                    _folder.SaveCheckpoint(report.Step, Save, keep: 1);
                yield return full;
                if (_stopping.StoppedAt is not null)
                    break;
            }
        }
        _watch.Stop();
        _folder.Log($"to step {Step}");
    }

    /// <summary>Writes the merged model with tokenizer, labels and card, measures it on the test examples, and reports.</summary>
    public IEnumerable<string> Finish()
    {
        using var final = FinalTask();
        if (final.Adapter is { Lora: { } lora })
            LoraWriter.WritePeft(Path.Combine(Folder, "adapter"), lora.Updates(), new Dictionary<string, object?> { ["base_model_name_or_path"] = Options.Model, ["task_type"] = Options.Task == FinetuneTasks.LanguageModel ? "CAUSAL_LM" : "FEATURE_EXTRACTION" });
        final.Adapter.Merge();
        final.Task.Network.eval();
        final.Task.Save(_folder.Model);
        var evaluation = final.Task.Count(Split.Test) > 0 ? final.Task.Evaluate(Split.Test) : null;
        WriteResult(evaluation);
        ModelCard.Write(_folder.Model, Options, (TrainedParameters, _task.Command), evaluation);
        if (Step > 1)
            LossPlot.Write(Path.Combine(Folder, "loss.png"), _folder.ReadStats());
        yield return $"model: {_folder.Model} ({_task.Command} {_folder.Root} ...)";
        if (evaluation is not null)
            yield return $"on {final.Task.Count(Split.Test)} test examples: {string.Join(", ", evaluation.Measures.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key.Replace('_', ' ')} {pair.Value:0.0000}")))}";
        foreach (var line in final.Task.Report(Folder))
            yield return line;
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _trainer?.Dispose();
        _network.Dispose();
        _task.Dispose();
    }

    private static FinetuneTask Load(FinetuneOptions options)
    {
        var task = FinetuneTasks.Load(options);
        try
        {
            task.Check(Strategies.Parse(options.Strategy), ComputePrecision.TypeOf(options.Precision));
            return task;
        }
        catch
        {
            task.Dispose();
            throw;
        }
    }

    internal static FinetuneOptions Settled(FinetuneOptions options)
    {
        var strategy = Strategies.Parse(options.Strategy);
        return options with
        {
            Data = Path.GetFullPath(options.Data),
            Test = options.Test.Length > 0 ? Path.GetFullPath(options.Test) : "",
            Model = Path.GetFullPath(options.Model),
            Task = options.Task.Length > 0 ? options.Task : FinetuneTasks.Guess(options.Data),
            LearningRate = options.LearningRate > 0 ? options.LearningRate : strategy.LearningRate,
            LayerDecay = options.LayerDecay < 1 ? options.LayerDecay : strategy.LayerDecay,
            Precision = strategy.FreezesEncoder ? "fp32" : options.Precision,
        };
    }

    private Trainer<TaskBatch> NewTrainer(LearningRateSchedule schedule, int? steps = null) => new(_network, Loss,
        new TrainerOptions(steps ?? PlannedSteps, schedule, new AdamWOptions(Options.LearningRate, Beta2: 0.999, WeightDecay: Options.WeightDecay), null, Options.GradientAccumulationSteps, Options.MaxGradientNorm, Options.Seed,
            Group: (name, parameter) => (parameter.dim() >= 2 ? Options.WeightDecay : 0, _network.Pace(Plain(name), Options.LayerDecay, PlannedSteps).RateScale), FirstStep: name => _network.Pace(Plain(name), Options.LayerDecay, PlannedSteps).FirstStep),
        ComputePrecision.TypeOf(Options.Precision), batch => batch.Count);

    /// <summary>A parameter's name without the part that says on which side of the adapter it is; those of updates keep theirs.</summary>
    private static string Plain(string name) => name.StartsWith("network.", StringComparison.Ordinal) ? name["network.".Length..] : name;

    private Tensor Loss(TaskBatch batch, Generator random) => _task.Loss(batch);

    private IEnumerable<TaskBatch> Batches(long first)
    {
        for (var batch = first; ; batch++)
            yield return _task.Batch(Split.Train, [.. Enumerable.Range(0, Options.BatchSize).Select(i => ShuffledOrder.At(Options.Seed, batch * Options.BatchSize + i, _task.Count(Split.Train)))]);
    }

    private List<KeyValuePair<string, double>> Validate()
    {
        var split = _task.Count(Split.Validation) == 0 && Options.WatchTest ? Split.Test : Split.Validation;
        if (_task.Count(split) == 0)
            return [];
        var watched = _watch.IsRunning;
        _watch.Stop();
        var evaluation = _task.Evaluate(split);
        if (_trainer is not null && split == Split.Validation)
            _stopping.Watch(Step, evaluation.Score, _trainer.Parameters);
        if (watched)
            _watch.Start();
        return [.. evaluation.Measures.Select(pair => new KeyValuePair<string, double>($"validation_{pair.Key}", pair.Value))];
    }

    private void Save(string folder)
    {
        _trainer!.Save(folder);
        _stopping.Save(folder, _trainer.Parameters);
    }

    /// <summary>The trained weights, or with early stopping the best ones, in a fresh fp32 network: what was frozen has not been rounded there.</summary>
    private FinishedTask FinalTask()
    {
        var task = FinetuneTasks.Load(Options);
        if (_strategy.FreezesEncoder && (task, _task) is (ClassificationTask final, ClassificationTask trainedTask))
            (final.UsesVectors, final.Known) = (true, trainedTask.Known);
        var network = new AdaptedNetwork(task, _strategy, Options);
        using var scope = NewDisposeScope();
        using var still = no_grad();
        if (_trainer is null)
        {
            var trained = _network.state_dict();
            foreach (var (name, parameter) in network.named_parameters().Where(pair => pair.parameter.requires_grad))
                parameter.copy_(trained[name]);
        }
        else
        {
            var targets = network.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter, StringComparer.Ordinal);
            foreach (var (name, values) in _trainer.Parameters.Named(_stopping.Best ?? _trainer.Parameters.Master))
                targets[name].copy_(values);
        }
        return new FinishedTask(task, network);
    }

    private void WriteResult(Evaluation? evaluation) => AtomicFile.WriteText(Path.Combine(Folder, ResultFile), JsonSerializer.Serialize(new
    {
        strategy = Options.Strategy,
        seed = Options.Seed,
        steps = Step,
        trained_parameters = _trainer?.Parameters.Count ?? TrainedParameters,
        seconds = _watch.Elapsed.TotalSeconds,
        peak_megabytes = _peak / 1e6,
        test = evaluation?.Measures.ToDictionary(),
    }, Indented) + "\n");

    private static string DataSum(string data) => File.Exists(data) ? FileHash.Sha256(data)
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(FileHash.Sha256)))));

    private sealed record FinishedTask(FinetuneTask Task, AdaptedNetwork Adapter) : IDisposable
    {
        public void Dispose()
        {
            Adapter.Dispose();
            Task.Dispose();
        }
    }
}
