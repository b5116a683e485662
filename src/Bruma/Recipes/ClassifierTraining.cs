using System.Diagnostics;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Nn;
using Bruma.Training;
using Bruma.Vision;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>A small classifier trained in a run folder, whose features measure generators of the same kind of pictures.</summary>
public sealed class ClassifierTraining : ITrainingRun
{
    private const double HeldOut = 0.1;
    private const int WarmUp = 50;

    private readonly RunFolder _folder;
    private readonly ClassifierOptions _options;
    private readonly ImageSource _held;
    private readonly ImageSource _source;
    private readonly TrainingImages _images;
    private readonly SmallClassifier _network;
    private readonly Trainer<ImageBatch> _trainer;
    private readonly Stopwatch _watch = new();
    private long _stepsTimed;

    private ClassifierTraining(RunFolder folder, ClassifierOptions options, (ImageSource Source, ImageSource Held, TrainingImages Images) data)
    {
        (_folder, _options, _source, _held, _images) = (folder, options, data.Source, data.Held, data.Images);
        _network = new SmallClassifier(_source.Channels, _source.ClassNames.Count);
        using (var start = HashedSeed.At(options.Seed, 0))
            _network.Initialize(start);
        _trainer = new Trainer<ImageBatch>(_network, (batch, _) => nn.functional.cross_entropy(_network.call(batch.Images), batch.Classes!, label_smoothing: options.LabelSmoothing),
            new TrainerOptions(options.Steps, new LearningRateSchedule("linear", options.LearningRate, Math.Min(WarmUp, options.Steps / 10), options.Steps),
                new AdamWOptions(options.LearningRate, Beta2: 0.999, WeightDecay: options.WeightDecay), null, Seed: options.Seed));
    }

    public string Folder => _folder.Root;

    public long Step => _trainer.Step;

    public long Steps => _options.Steps;

    public bool Finished => File.Exists(Path.Combine(_folder.Model, "config.json"));

    public int Threads => _options.Threads;

    public bool PrefersMemory => false;

    public double SecondsPerStep => _stepsTimed == 0 ? 0 : _watch.Elapsed.TotalSeconds / _stepsTimed;

    public string Rate => FormattableString.Invariant($"{(SecondsPerStep == 0 ? 0 : _options.BatchSize / SecondsPerStep):0} images/s");

    public IEnumerable<string> Introduction =>
    [
        .. _images.Skipped.Select(reason => $"skipped: {reason}"),
        $"{_source.Name}: {_images.Count} pictures in {_source.ClassNames.Count} classes, {_held.Examples.Count} held out",
        FormattableString.Invariant($"{_trainer.Parameters.Count / 1e6:0.00} M parameters, {_options.Resolution}x{_options.Resolution}, batch {_options.BatchSize}, seed {_options.Seed}, {_options.Steps} steps into {Folder}"),
    ];

    /// <summary>Begins a run.</summary>
    /// <exception cref="BrumaException">Data or folder are not usable; nothing is written then.</exception>
    public static ClassifierTraining Start(string folder, ClassifierOptions options)
    {
        RunFolder.CheckNew(folder);
        var source = ImageSource.Open(options.Data);
        if (source.ClassNames.Count < 2)
            throw new BrumaException($"{options.Data}: has {source.ClassNames.Count} classes, and a classifier needs at least 2; put the pictures of each class into a subfolder.");
        options = options with
        {
            Data = Directory.Exists(options.Data) ? Path.GetFullPath(options.Data) : options.Data,
            Resolution = options.Resolution > 0 ? options.Resolution : DiffusionNetworks.ResolutionOf(source),
        };
        var data = Load(source, options);
        options = options with { BatchSize = Math.Min(options.BatchSize, data.Images.Count) };
        var training = new ClassifierTraining(RunFolder.Create(folder, options.ToJson()), options, data);
        training._folder.WriteProvenance("fp32", source.Sha256());
        return training;
    }

    /// <summary>Goes on with a run from its newest checkpoint, or from the start when there is none yet.</summary>
    public static ClassifierTraining Resume(string folder)
    {
        var run = RunFolder.Open(folder);
        var options = ClassifierOptions.Read(run.Config);
        var training = new ClassifierTraining(run, options, Load(ImageSource.Open(options.Data), options));
        if (run.NewestCheckpoint() is { } checkpoint)
            training._trainer.Restore(checkpoint.Folder, checkpoint.Step);
        return training;
    }

    public IEnumerable<StepReport> Run(CancellationToken cancellationToken = default)
    {
        var batches = new ImageBatches(_images, new BatchOptions(_options.BatchSize, _options.Resolution, _options.Flip, RandomCrop: false, _options.Seed));
        using var record = _folder.Record(Step);
        _watch.Restart();
        foreach (var report in _trainer.Run(batches.From, cancellationToken))
        {
            _stepsTimed++;
            record.Write(report);
            if (report.Step % _options.CheckpointEvery == 0 || report.Step == _options.Steps || cancellationToken.IsCancellationRequested)
                _folder.SaveCheckpoint(report.Step, _trainer.Save, keep: 1);
            yield return report;
        }
    }

    /// <summary>Writes the model and says how often it is right on pictures that it has not seen.</summary>
    public IEnumerable<string> Finish()
    {
        var accuracy = Accuracy();
        _network.Save(_folder.Model, new SmallClassifierConfig(_source.Channels, _source.ClassNames.Count, _options.Resolution, [.. _source.ClassNames], _options.Name));
        var line = FormattableString.Invariant($"accuracy on {_held.Examples.Count} held-out pictures: {accuracy:P2}");
        new ModelDefaults(FormattableString.Invariant($"Classifier of {Path.GetFileName(_options.Data)} whose features measure generators (FD-{_options.Name}); {accuracy:P1} right on held-out pictures"), [.. _source.ClassNames], Size: _options.Resolution).Write(_folder.Model);
        _folder.Log(line);
        using var held = TrainingImages.Load(_held, _options.Resolution);
        foreach (var row in ClassifierCalibration.Table(_network, _images.Pixels, held.Pixels, _options.Seed))
        {
            _folder.Log(row);
            yield return row;
        }
        LossPlot.Write(Path.Combine(Folder, "loss.png"), _folder.ReadStats());
        yield return line;
        yield return $"model: {_folder.Model} (bruma evaluate --features {_folder.Model})";
    }

    public void Dispose()
    {
        _trainer.Dispose();
        _network.Dispose();
        _images.Dispose();
    }

    /// <summary>Fashion-MNIST has its own test pictures; of a folder a tenth is held out, by name.</summary>
    private static (ImageSource Source, ImageSource Held, TrainingImages Images) Load(ImageSource source, ClassifierOptions options)
    {
        if (options.Data == FashionMnist.SourceName)
            return (source, FashionMnist.Test(), TrainingImages.Load(source, options.Resolution));
        var (rest, held) = ImageSubset.Split(source, HeldOut);
        return rest.Examples.Count > 1 && held.Examples.Count > 0
            ? (rest, held, TrainingImages.Load(rest, options.Resolution))
            : throw new BrumaException($"{options.Data}: {source.Examples.Count} pictures are too few to hold a tenth out; add more.");
    }

    private double Accuracy()
    {
        using var scope = NewDisposeScope();
        using var held = TrainingImages.Load(_held, _options.Resolution);
        using var still = no_grad();
        _network.eval();
        var right = 0L;
        for (var at = 0; at < held.Count; at += _options.BatchSize)
        {
            using var part = NewDisposeScope();
            var count = Math.Min(_options.BatchSize, held.Count - at);
            var found = _network.call(Imaging.ImageTensor.FromBytes(held.Pixels.narrow(0, at, count))).argmax(1);
            right += (found == tensor(held.Classes.Skip(at).Take(count).ToArray())).sum().item<long>();
        }
        _network.train();
        return (double)right / held.Count;
    }
}
