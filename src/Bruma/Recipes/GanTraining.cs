using System.Diagnostics;
using Bruma.Data;
using Bruma.Gans;
using Bruma.Hub;
using Bruma.Nn;
using Bruma.Training;

namespace Bruma.Recipes;

/// <summary>A GAN trained from scratch in a run folder: begun, gone on with, finished.</summary>
public sealed class GanTraining : ITrainingRun
{
    private readonly RunFolder _folder;
    private readonly ImageSource _source;
    private readonly TrainingImages _images;
    private readonly GanGenerator _generator;
    private readonly GanDiscriminator _discriminator;
    private readonly GanTrainer _trainer;
    private readonly GanGallery _gallery;
    private readonly GanEvaluation? _evaluation;
    private readonly Stopwatch _watch = new();
    private long _stepsTimed;

    private GanTraining(RunFolder folder, GanOptions options, (ImageSource Source, TrainingImages Images) data)
    {
        (_folder, Options, _source, _images) = (folder, options, data.Source, data.Images);
        var recipe = GanRecipe.Find(options.Objective);
        var shape = recipe.Shape(options, _source.Channels, _source.ClassNames.Count);
        _generator = new GanGenerator(GanArchitectures.Generator(shape));
        _discriminator = new GanDiscriminator(GanArchitectures.Discriminator(shape));
        using (var start = HashedSeed.At(options.Seed, 0))
        {
            GanStart.Initialize(_generator, start);
            GanStart.Initialize(_discriminator, start);
        }
        _trainer = new GanTrainer(_generator, _discriminator, new SeededGanNoise(options.Seed, options.BatchSize, options.LatentWidth, shape.Classes), recipe.TrainerOptions(options));
        _gallery = new GanGallery(folder.Root, options.Seed);
        _evaluation = options.EvaluateSamples == 0 ? null : new GanEvaluation(folder.Root, _images, options);
    }

    public GanOptions Options { get; }

    public string Folder => _folder.Root;

    public long Step => _trainer.Step;

    public long Steps => Options.Steps;

    public bool Finished => File.Exists(Path.Combine(_folder.Model, "model_index.json"));

    public int Threads => Options.Threads;

    public bool PrefersMemory => false;

    public bool KeepsMemory => true;

    public double SecondsPerStep => _stepsTimed == 0 ? 0 : _watch.Elapsed.TotalSeconds / _stepsTimed;

    /// <summary>Images that the generator has made in this part of the run, per second of training.</summary>
    public double ImagesPerSecond => SecondsPerStep == 0 ? 0 : Options.BatchSize / SecondsPerStep;

    public string Rate => FormattableString.Invariant($"{ImagesPerSecond:0} images/s");

    public IEnumerable<string> Introduction =>
    [
        .. _images.Skipped.Select(reason => $"skipped: {reason}"),
        FormattableString.Invariant($"{_source.Name}: {_images.Count} pictures ({_source.Layout}){(_images.Skipped.Count > 0 ? $", {_images.Skipped.Count} skipped" : "")}{(_source.ClassNames.Count > 0 ? $", {_source.ClassNames.Count} classes" : "")}"),
        FormattableString.Invariant($"{Options.Objective}, {Options.Architecture}, generator {_trainer.GeneratorParameters / 1e6:0.00} M and discriminator {_trainer.DiscriminatorParameters / 1e6:0.00} M parameters, {Options.Resolution}x{Options.Resolution}, batch {Options.BatchSize}, {Options.DiscriminatorSteps}:1{(Options.Augmentations.Count > 0 ? $", DiffAugment {string.Join(",", Options.Augmentations)}" : "")}, seed {Options.Seed}, {Options.Steps} steps into {Folder}"),
    ];

    /// <summary>Begins a run. What the options leave open is settled here and written to <c>config.json</c>.</summary>
    /// <exception cref="BrumaException">Data or folder are not usable; nothing is written then.</exception>
    public static GanTraining Start(string folder, GanOptions options)
    {
        RunFolder.CheckNew(folder);
        var recipe = GanRecipe.Find(options.Objective);
        var source = ImageSource.Open(options.Data);
        if (recipe.NeedsClasses && source.ClassNames.Count < 2)
            throw new BrumaException($"--objective {options.Objective}: needs pictures in classes, and {options.Data} has none; sort them into a subfolder per class, or take --objective hinge.");
        var resolution = options.Resolution > 0 ? options.Resolution : ResolutionOf(source);
        options = recipe.Settle(options with
        {
            Data = Directory.Exists(options.Data) ? Path.GetFullPath(options.Data) : options.Data,
            Resolution = resolution,
            Flip = options.Flip ?? source is not IdxSource,
            BatchSize = options.BatchSize > 0 ? options.BatchSize : resolution <= LargestSmall ? 64 : 32,
            DiffAugment = options.DiffAugment ?? (source.Examples.Count < FewImages ? string.Join(",", DiffAugment.Groups) : ""),
        }).Checked();
        var images = TrainingImages.Load(source, resolution);
        var training = new GanTraining(RunFolder.Create(folder, options.ToJson()), options, (source, images));
        training._folder.WriteProvenance("fp32", source.Sha256());
        return training;
    }

    /// <summary>Goes on with a run from its newest checkpoint, or from the start when there is none yet.</summary>
    public static GanTraining Resume(string folder)
    {
        var run = RunFolder.Open(folder);
        var options = GanOptions.Read(run.Config);
        var source = ImageSource.Open(options.Data);
        var training = new GanTraining(run, options, (source, TrainingImages.Load(source, options.Resolution)));
        if (run.NewestCheckpoint() is { } checkpoint)
            training._trainer.Restore(checkpoint.Folder, checkpoint.Step);
        return training;
    }

    public IEnumerable<StepReport> Run(CancellationToken cancellationToken = default)
    {
        var batches = new ImageBatches(_images, new BatchOptions(Options.BatchSize, Options.Resolution, Options.Flip ?? false, false, Options.Seed));
        using var record = _folder.Record(Step);
        _evaluation?.CutAfter(Step);
        _folder.Log($"from step {Step}");
        if (Step == 0)
            Draw(0);
        _watch.Restart();
        using var steps = _trainer.Run(batches.From, cancellationToken).GetEnumerator();
        while (Next(steps) is { } report)
        {
            _stepsTimed++;
            record.Write(report);
            if (report.Step % Options.CheckpointEvery == 0 || report.Step == Options.Steps || cancellationToken.IsCancellationRequested)
                _folder.SaveCheckpoint(report.Step, _trainer.Save, Options.CheckpointsTotalLimit);
            if (GanGallery.IsDue(report.Step) || report.Step == Options.Steps)
                Draw(report.Step);
            if (Options.EvaluateEvery > 0 && report.Step % Options.EvaluateEvery == 0 && report.Step < Options.Steps)
                Evaluate(report.Step);
            yield return report;
        }
        _folder.Log($"to step {Step}");
    }

    public IEnumerable<string> Finish()
    {
        _trainer.WithAverage(() =>
        {
            Pipeline().Save(_folder.Model);
            return true;
        });
        yield return $"model: {_folder.Model} (bruma generate --model {Folder})";
        if (_evaluation is not null)
        {
            Evaluate(Step);
            yield return _evaluation.Summary;
        }
        foreach (var line in Report(null))
            yield return line;
    }

    public void Dispose()
    {
        _evaluation?.Dispose();
        _trainer.Dispose();
        _generator.Dispose();
        _discriminator.Dispose();
        _images.Dispose();
    }

    private const int LargestSmall = 40;
    private const int FewImages = 5000;

    /// <summary>The data's own size, lowered to one that halves down to 4 to 7 px, at most 64.</summary>
    internal static int ResolutionOf(ImageSource source)
    {
        var own = DiffusionNetworks.ResolutionOf(source);
        return Enumerable.Range(16, Math.Max(1, own - 15)).LastOrDefault(GanArchitectures.Fits, 16);
    }

    /// <summary>The next step; when the numbers break down, the report that says why is written first.</summary>
    private StepReport? Next(IEnumerator<GanStepReport> steps)
    {
        try
        {
            return steps.MoveNext() ? steps.Current.ToStepReport() : null;
        }
        catch (BrumaException e)
        {
            _folder.Log(e.Message);
            _ = Report(e.Message).ToList();
            throw;
        }
    }

    private void Draw(long step)
    {
        _watch.Stop();
        _trainer.WithAverage(() =>
        {
            _gallery.Draw(Pipeline(), step);
            return true;
        });
        _watch.Start();
    }

    private void Evaluate(long step)
    {
        _watch.Stop();
        _trainer.WithAverage(() => _evaluation!.Measure(Pipeline(), step));
        _watch.Start();
    }

    private IEnumerable<string> Report(string? failure) => GanReport.Write(_folder, Options, _evaluation?.Rows ?? [], failure);

    private GanPipeline Pipeline() => new(_generator, new ModelDefaults(
        $"{Options.Resolution}x{Options.Resolution} pictures of {Path.GetFileName(Options.Data)}, a GAN ({Options.Objective}) trained by Bruma for {Options.Steps} steps",
        _generator.Config.Classes > 0 ? _source.ClassNames : null, Size: Options.Resolution, Precision: "fp32"));
}
