using System.Diagnostics;
using Bruma.Data;
using Bruma.Diffusion;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Nn;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>A diffusion model trained from scratch in a run folder: begun, gone on with, finished.</summary>
public sealed class DiffusionTraining : ITrainingRun
{
    private const int SheetPictures = 16;
    private const double CropMargin = 1.125;

    private readonly RunFolder _folder;
    private readonly ImageSource _source;
    private readonly TrainingImages _images;
    private readonly UNet2DModel _network;
    private readonly DiffusionObjective _objective;
    private readonly Trainer<ImageBatch> _trainer;
    private readonly Stopwatch _watch = new();
    private long _stepsTimed;
    private TrainingMeasure? _measure;

    private DiffusionTraining(RunFolder folder, DiffusionOptions options, (ImageSource Source, TrainingImages Images) data)
    {
        (_folder, Options, _source, _images) = (folder, options, data.Source, data.Images);
        _network = new UNet2DModel(DiffusionNetworks.For(options.Resolution, _source.Channels, _source.ClassNames.Count, options.Dropout));
        _network.IsCheckpointed = options.GradientCheckpointing;
        using (var start = HashedSeed.At(options.Seed, 0))
            _network.Initialize(start);
        _objective = DiffusionObjectives.For(options);
        _trainer = new Trainer<ImageBatch>(_network, Loss, new TrainerOptions(options.Steps, new LearningRateSchedule(options.LrSchedule, options.LearningRate, options.LrWarmupSteps, options.Steps),
            new AdamWOptions(options.LearningRate, WeightDecay: options.WeightDecay), new EmaOptions(options.EmaDecay), options.GradientAccumulationSteps, options.MaxGradientNorm, options.Seed),
            ComputePrecision.TypeOf(options.Precision));
    }

    public DiffusionOptions Options { get; }

    public string Folder => _folder.Root;

    /// <summary>Updates done.</summary>
    public long Step => _trainer.Step;

    /// <summary>Whether the model is written.</summary>
    public bool Finished => File.Exists(Path.Combine(_folder.Model, "model_index.json"));

    public double SecondsPerStep => _stepsTimed == 0 ? 0 : _watch.Elapsed.TotalSeconds / _stepsTimed;

    public string Rate => FormattableString.Invariant($"{(SecondsPerStep == 0 ? 0 : Options.BatchSize * Options.GradientAccumulationSteps / SecondsPerStep):0} images/s");

    public long Steps => Options.Steps;

    public int Threads => Options.Threads;

    public bool PrefersMemory => Options.GradientCheckpointing;

    /// <summary>What to tell before it starts.</summary>
    public IEnumerable<string> Introduction =>
    [
        .. _images.Skipped.Select(reason => $"skipped: {reason}"),
        FormattableString.Invariant($"{_source.Name}: {_images.Count} pictures ({_source.Layout}){(_images.Skipped.Count > 0 ? $", {_images.Skipped.Count} skipped" : "")}{(_source.ClassNames.Count > 0 ? $", {_source.ClassNames.Count} classes" : "")}"),
        FormattableString.Invariant($"{_trainer.Parameters.Count / 1e6:0.00} M parameters, {Options.Resolution}x{Options.Resolution}, batch {Options.BatchSize}{(Options.GradientAccumulationSteps > 1 ? $" x {Options.GradientAccumulationSteps}" : "")}, {Options.Prediction}, {Options.Precision}, seed {Options.Seed}, {Options.Steps} steps into {Folder}"),
    ];

    /// <summary>Begins a run. What the options leave open is settled here and written to <c>config.json</c>.</summary>
    /// <exception cref="BrumaException">Data or folder are not usable; nothing is written then.</exception>
    public static DiffusionTraining Start(string folder, DiffusionOptions options)
    {
        RunFolder.CheckNew(folder);
        var source = ImageSource.Open(options.Data);
        var resolution = options.Resolution > 0 ? options.Resolution : DiffusionNetworks.ResolutionOf(source);
        options = options with
        {
            Data = Directory.Exists(options.Data) ? Path.GetFullPath(options.Data) : options.Data,
            Resolution = resolution,
            Flip = options.Flip ?? source is not IdxSource,
            BatchSize = options.BatchSize > 0 ? options.BatchSize : DiffusionNetworks.BatchSizeFor(resolution),
        };
        _ = new LearningRateSchedule(options.LrSchedule, options.LearningRate, options.LrWarmupSteps, options.Steps).At(options.Steps);
        var sum = source.Sha256();
        var images = LoadImages(source, options);
        var training = new DiffusionTraining(RunFolder.Create(folder, options.ToJson()), options, (source, images));
        training._folder.WriteProvenance(options.Precision, sum);
        return training;
    }

    /// <summary>Goes on with a run from its newest checkpoint, or from the start when there is none yet.</summary>
    public static DiffusionTraining Resume(string folder)
    {
        var run = RunFolder.Open(folder);
        var options = DiffusionOptions.Read(run.Config);
        var source = ImageSource.Open(options.Data);
        var training = new DiffusionTraining(run, options, (source, LoadImages(source, options)));
        if (run.NewestCheckpoint() is { } checkpoint)
            training._trainer.Restore(checkpoint.Folder, checkpoint.Step);
        return training;
    }

    /// <summary>Trains to the end or until cancelled, with checkpoints and samples on the way; the last step is always saved.</summary>
    public IEnumerable<StepReport> Run(CancellationToken cancellationToken = default)
    {
        var batches = new ImageBatches(_images, new BatchOptions(Options.BatchSize, Options.Resolution, Options.Flip ?? false, Options.RandomCrop, Options.Seed));
        using var record = _folder.Record(Step);
        _folder.Log($"from step {Step}");
        _watch.Restart();
        foreach (var step in _trainer.Run(batches.From, cancellationToken))
        {
            _stepsTimed++;
            var report = Options.EvaluateEvery > 0 && step.Step % Options.EvaluateEvery == 0 ? step with { Extra = Measure() } : step;
            record.Write(report);
            if (report.Step % Options.CheckpointEvery == 0 || report.Step == Options.Steps || cancellationToken.IsCancellationRequested)
                _folder.SaveCheckpoint(report.Step, _trainer.Save, Options.CheckpointsTotalLimit);
            if (Options.SampleEvery > 0 && report.Step % Options.SampleEvery == 0)
                DrawSamples(report.Step);
            yield return report;
        }
        _folder.Log($"to step {Step}");
    }

    /// <summary>Writes the model, the loss plot and the report of a run that has taken its last step.</summary>
    /// <returns>What to tell.</returns>
    public IEnumerable<string> Finish()
    {
        Pipeline().Save(_folder.Model, _trainer.Parameters.Named(_trainer.Average!));
        yield return $"model: {_folder.Model} (bruma generate --model {Folder})";
        LossPlot.Write(Path.Combine(Folder, "loss.png"), _folder.ReadStats());
        if (_measure is not null && MeasurePlot.Write(Path.Combine(Folder, "measures.png"), _folder, _measure.Names))
            yield return $"measures: {Path.Combine(Folder, "measures.png")}";
        if (Options.ReportSamples > 0)
            foreach (var line in _trainer.WithAverage(() => DiffusionReport.Write(Folder, Pipeline(), (_source, _images), Options)))
                yield return line;
    }

    public void Dispose()
    {
        _measure?.Dispose();
        _trainer.Dispose();
        _network.Dispose();
        _images.Dispose();
    }

    private static TrainingImages LoadImages(ImageSource source, DiffusionOptions options) =>
        TrainingImages.Load(source, options.RandomCrop ? (int)Math.Round(options.Resolution * CropMargin) : options.Resolution);

    private Tensor Loss(ImageBatch batch, Generator random)
    {
        var labels = batch.Classes is null ? null : WithoutSome(batch.Classes, random);
        return _objective.Loss((sample, times) => _network.forward(sample, times, labels), batch.Images, random);
    }

    /// <summary>Replaces some classes by the null class, the last row of the embedding.</summary>
    private Tensor WithoutSome(Tensor classes, Generator random)
    {
        var dropped = rand(classes.shape, generator: random) < Options.ClassDropout;
        return where(dropped, full_like(classes, _source.ClassNames.Count), classes);
    }

    private DiffusionPipeline Pipeline() => new(_network, DiffusionObjectives.Scheduler(Options), new ModelDefaults(
        $"{Options.Resolution}x{Options.Resolution} pictures of {Path.GetFileName(Options.Data)}, trained by Bruma for {Options.Steps} steps",
        _source.ClassNames.Count > 0 ? _source.ClassNames : null, DiffusionObjectives.StepsFor(Options), _source.ClassNames.Count > 0 ? 2 : null, Options.Resolution, Options.Precision));

    /// <summary>Samples of the averaged weights, all classes in turn and the same noise every time, against real pictures.</summary>
    private IReadOnlyList<KeyValuePair<string, double>> Measure()
    {
        _watch.Stop();
        _measure ??= TrainingMeasure.For(Options.Data, _images.Pixels, Options.EvaluateSamples, Options.Seed);
        var found = _trainer.WithAverage(() =>
        {
            using var scope = NewDisposeScope();
            var row = _source.ClassNames.Count == 0 ? Options.EvaluateSamples : Math.Max(1, Options.EvaluateSamples / _source.ClassNames.Count);
            return _measure.Of(new DiffusionSamples(Pipeline(), row).Draw(0, Options.EvaluateSamples, Options.Seed));
        });
        _watch.Start();
        return found;
    }

    /// <summary>The same noise and classes every time, so that the sheets show the progress.</summary>
    private void DrawSamples(long step)
    {
        _watch.Stop();
        _trainer.WithAverage(() =>
        {
            using var scope = NewDisposeScope();
            var pipeline = Pipeline();
            var classes = _source.ClassNames.Count;
            var pictures = classes == 0
                ? [.. ImageTensor.ToBytes(pipeline.Generate(new DiffusionRequest(SheetPictures, Options.Seed))).unbind()]
                : Enumerable.Range(0, SheetPictures).Select(i => ImageTensor.ToBytes(pipeline.Generate(new DiffusionRequest(1, Options.Seed + i, i % classes)))[0]).ToArray();
            PngFile.Write(Path.Combine(Folder, "samples", $"step-{step:D7}.png"), ContactSheet.Compose(pictures));
            return true;
        });
        _watch.Start();
    }
}
