using System.Diagnostics;
using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.Metrics;
using Bruma.StableDiffusion;
using Bruma.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>A text-to-image model adapted to pictures, in a run folder: whole weights, LoRA, DreamBooth, textual inversion or a ControlNet; begun, gone on with, finished.</summary>
public sealed class AdaptationRun : ITrainingRun
{
    private const int SoonDrawn = 128; // pixels; larger pictures take minutes each without a GPU

    private readonly RunFolder _folder;
    private readonly BaseModel _model;
    private readonly AdaptationData _data;
    private readonly TrainedPart _part;
    private readonly TextCache _texts;
    private readonly LatentStep _step;
    private readonly ValidationLoss _validation;
    private readonly Trainer<NumberedBatch> _trainer;
    private readonly BestWeights _best;
    private readonly Previews _previews;
    private readonly SampleWatch? _samples;
    private readonly Stopwatch _watch = new();
    private long _stepsTimed;

    private AdaptationRun(RunFolder folder, AdaptationOptions options, BaseModel model, AdaptationData data, TrainedPart part)
    {
        (_folder, Options, _model, _data, _part) = (folder, options, model, data, part);
        var precision = ComputePrecision.TypeOf(options.Precision);
        _texts = new TextCache(model, _part.ChangesText, _part.ChangesText || options.ShuffleTags ? null : TextFiles.For(model)); // shuffled tags rarely come again
        if (precision != float32)
            foreach (var network in model.Components.Values.Where(network => network == model.Network || options.TrainTextEncoder))
                network.to(precision);
        model.Network.IsCheckpointed = options.GradientCheckpointing;
        if (part.Control is { } control)
            control.IsCheckpointed = options.GradientCheckpointing;
        _step = new LatentStep(model.Network, Objective(), part.Control);
        _validation = new ValidationLoss((model.Network, part.Control), _step, data, (caption, latents) => _texts.Condition([caption], model.SizeOf(latents)));
        _trainer = new Trainer<NumberedBatch>(_part.Network, Loss, new TrainerOptions(options.Steps, new LearningRateSchedule(options.LrSchedule, options.LearningRate, options.LrWarmupSteps, options.Steps),
            new AdamWOptions(options.LearningRate, Beta2: 0.999, WeightDecay: options.WeightDecay), options.EmaDecay is { } decay ? new EmaOptions(decay) : null, options.GradientAccumulationSteps, options.MaxGradientNorm, options.Seed), precision);
        _best = new BestWeights(_trainer.Parameters);
        _samples = SampleWatch.For(model, options, data, part.Control);
        _previews = new Previews(model, options, data, part.Control);
    }

    public AdaptationOptions Options { get; }

    public string Folder => _folder.Root;

    public long Step => _trainer.Step;

    public long Steps => Options.Steps;

    public bool Finished => Directory.Exists(_folder.Model);

    public int Threads => Options.Threads;

    /// <summary>Pictures that are trained on.</summary>
    public int Pictures => _data.Training;

    /// <summary>Numbers that are trained.</summary>
    public long Parameters => _trainer.Parameters.Count;

    public bool PrefersMemory => Options.GradientCheckpointing;

    public double SecondsPerStep => _stepsTimed == 0 ? 0 : _watch.Elapsed.TotalSeconds / _stepsTimed;

    public string Rate => FormattableString.Invariant($"{(SecondsPerStep == 0 ? 0 : Options.BatchSize * Options.GradientAccumulationSteps / SecondsPerStep):0.0} images/s");

    public IEnumerable<string> Introduction =>
    [
        .. _data.Skipped.Select(reason => $"skipped: {reason}"),
        $"base: {Options.Model}{(SingleFile.Is(Options.Model) ? $", unpacked once into {_model.Sources.Folder}" : "")} ({_model.Scheduler.PredictionType} prediction)",
        FormattableString.Invariant($"data: {Options.Data}, {_data.Training} pictures{(_data.Held > 0 ? $" and {_data.Held} that are not trained on ({_data.Validation.Count} of them watched)" : "")}{(_data.HasPrior ? $", {_data.Prior} of \"{Options.ClassPrompt}\"" : "")}{(Options.Replay is null ? "" : $", {_data.Replay} so that the base is not forgotten")}"),
        .. _data.Wide > 0 ? [$"{_data.Wide} of them are shown from further away half of the time, with their {Captions.WideColumn}"] : Array.Empty<string>(),
        .. _data.Steering is { } steering ? [$"steered by: {steering}"] : Array.Empty<string>(),
        .. _data.Training < 10 ? ["so few pictures are soon learned by heart: look at the sheets on the way and keep the run short"] : Array.Empty<string>(),
        FormattableString.Invariant($"trains {_part.Description}: {_trainer.Parameters.Count / 1e6:0.000} M parameters, {Options.Resolution} px{(Options.AspectBuckets ? $" in {_data.Shapes} shapes" : "")}, batch {Options.BatchSize}{(Options.GradientAccumulationSteps > 1 ? $" x {Options.GradientAccumulationSteps}" : "")}, {Options.Precision}, seed {Options.Seed}, {Options.Steps} steps into {Folder}"),
    ];

    /// <summary>Begins a run. What the options leave open is settled here and written to <c>config.json</c>.</summary>
    /// <exception cref="BrumaException">Base, data or folder are not usable; nothing is written then.</exception>
    public static AdaptationRun Start(string folder, AdaptationOptions options)
    {
        RunFolder.CheckNew(folder);
        var model = BaseModel.Load(options.Model);
        var side = options.Resolution > 0 ? options.Resolution : (int)(model.Network.Config.SampleSize?.Height ?? 64) * model.Reduction;
        options = options with { Model = Path.GetFullPath(options.Model), Data = Full(options.Data)!, ClassData = Full(options.ClassData), Replay = Full(options.Replay), Resolution = side };
        if (side % model.Reduction != 0)
            throw new BrumaException($"--resolution {side}: the base needs a multiple of {model.Reduction}.");
        var data = LoadData(options, model);
        SampleWatch.Require(options, data);
        if (options.Epochs is { } epochs)
            options = options with { Steps = (int)Math.Ceiling(epochs * data.Training / (double)(options.BatchSize * options.GradientAccumulationSteps)), Epochs = null };
        var part = TrainedPart.Create(options, model); // refuses what does not fit before anything is written
        var run = new AdaptationRun(RunFolder.Create(folder, options.ToJson()), options, model, data, part);
        run._folder.WriteProvenance(options.Precision, data.Sha256);
        return run;
    }

    /// <summary>Goes on with a run from its newest checkpoint, or from the start when there is none yet.</summary>
    public static AdaptationRun Resume(string folder)
    {
        var run = RunFolder.Open(folder);
        var options = AdaptationOptions.Read(run.Config);
        var model = BaseModel.Load(options.Model);
        var training = new AdaptationRun(run, options, model, LoadData(options, model), TrainedPart.Create(options, model));
        if (run.NewestCheckpoint() is { } checkpoint)
        {
            training._trainer.Restore(checkpoint.Folder, checkpoint.Step);
            training._best.Restore(checkpoint.Folder);
        }
        return training;
    }

    public IEnumerable<StepReport> Run(CancellationToken cancellationToken = default)
    {
        using var record = _folder.Record(Step);
        _folder.Log($"from step {Step}");
        _watch.Restart();
        foreach (var report in _trainer.Run(NumberedBatch.From, cancellationToken))
        {
            _stepsTimed++;
            var isDue = report.Step % Options.CheckpointEvery == 0 || report.Step == Options.Steps;
            var entry = isDue ? report with { Extra = Watch(report.Step) } : report;
            record.Write(entry);
            if (isDue || cancellationToken.IsCancellationRequested)
                _folder.SaveCheckpoint(report.Step, Save, Options.CheckpointsTotalLimit);
            if (Options.SampleEvery > 0 && report.Step % Options.SampleEvery == 0)
                Look(report.Step);
            yield return entry;
        }
        _folder.Log($"to step {Step}");
    }

    public IEnumerable<string> Finish()
    {
        if (Previews.Join(Folder) is { Count: > 0 } joined)
            yield return $"how it learned: {string.Join(", ", joined)}";
        LossPlot.Write(Path.Combine(Folder, "loss.png"), _folder.ReadStats());
        using var still = no_grad();
        var values = _best.Values ?? _trainer.Parameters.Named(_trainer.Average ?? _trainer.Parameters.Master).ToDictionary(StringComparer.Ordinal);
        if (_best.Values is not null)
            yield return FormattableString.Invariant($"best step by the pictures not trained on: {_best.Step} ({Options.ChooseBy switch { AdaptationOptions.ByKid => _best.Loss > 1 ? "samples copy photos" : "KID", _ => "loss" }} {_best.Loss:0.0000})");
        var notes = new AdaptationNotes(Options, _model.Sha256(), _data.Sha256, _data.Training, _best.Values is null ? Step : _best.Step, AdaptationNotes.StartOf(Folder));
        var beside = _folder.Model + ".tmp";
        if (Directory.Exists(beside))
            Directory.Delete(beside, recursive: true);
        var lines = _part.Write(beside, values, notes).ToList();
        Directory.Move(beside, _folder.Model);
        foreach (var line in lines)
            yield return line.Replace(beside, _folder.Model, StringComparison.Ordinal);
        foreach (var line in Report())
            yield return line;
    }

    public void Dispose()
    {
        _samples?.Dispose();
        _best.Dispose();
        _trainer.Dispose();
        _part.Dispose();
        _texts.Dispose();
        _data.Dispose();
        _model.Dispose();
    }

    private static string? Full(string? path) => path is null ? null : Directory.Exists(path) ? Path.GetFullPath(path) : path;

    private static AdaptationData LoadData(AdaptationOptions options, BaseModel model)
    {
        var cache = new LatentCache(model.Autoencoder, FileHash.Sha256(ModelFolder.FindWeights(model.Sources.PathOf("vae"), model.Sources.Variant)));
        var classFolder = options.ClassPrompt is null ? null : options.ClassData ?? ClassPictures.Folder(model, options);
        return AdaptationData.Load(options, model.Autoencoder, cache, classFolder, model.PixelStep);
    }

    private DiffusionObjective Objective()
    {
        if (_model.Scheduler.PredictionType == PredictionType.Flow)
            throw new BrumaException($"{Options.Model}: predicts a flow; this recipe adapts models of noise or v prediction.");
        return new DiffusionObjective(_model.Scheduler.PredictionType, new NoiseSchedule(_model.Scheduler), Options.MinSnrGamma, _model.Scheduler.RescaleBetasZeroSnr, Options.NoiseOffset);
    }

    private Tensor Loss(NumberedBatch batch, Generator random)
    {
        var (latents, captions, pictures) = _data.Batch(batch.Number, random);
        var losses = _step.Losses(latents, _texts.Condition(captions, _model.SizeOf(latents)), random, pictures);
        return _data.HasPrior ? PriorPreservation.Loss(losses, _data.Instances, Options.PriorLossWeight) : losses.mean();
    }

    private List<KeyValuePair<string, double>> Watch(long step)
    {
        _watch.Stop();
        var loss = _trainer.WithAverage(_validation.Compute);
        var samples = _samples is null ? ((double Kid, double Copies)?)null : _trainer.WithAverage(_samples.Measure);
        _watch.Start();
        if ((Options.ChooseBy == AdaptationOptions.ByKid ? SampleWatch.Score(samples!.Value) : loss) is { } value)
            _best.Offer(value, step, _trainer.Average ?? _trainer.Parameters.Master);
        var found = new List<KeyValuePair<string, double>>();
        if (loss is { } watched)
            found.Add(new("validation_loss", watched));
        if (samples is { } measured)
            found.AddRange([new("kid", measured.Kid), new("copies", measured.Copies)]);
        return found;
    }

    private void Look(long step)
    {
        _watch.Stop();
        _trainer.WithAverage(() =>
        {
            _previews.Write(Folder, step);
            return true;
        });
        _watch.Start();
    }

    private IEnumerable<string> Report()
    {
        var count = Options.ReportSamples ?? (Options.Resolution <= SoonDrawn ? AdaptationReportOptions.StandardCount : 0);
        if (count == 0)
            return [$"how good it is: bruma report {Folder}"];
        try
        {
            var findings = AdaptationReport.Write(new AdaptationReportOptions(Folder, count, Cache: FeatureCache.DefaultRoot));
            return [.. findings.Verdict, $"report: {Path.Combine(Folder, "report.html")}"];
        }
        catch (BrumaException e)
        {
            return [$"no report: {e.Message}"]; // the model is written all the same
        }
    }

    private void Save(string folder)
    {
        _trainer.Save(folder);
        _best.Save(folder);
    }

    /// <summary>The number of a micro-batch; its content follows from it.</summary>
    private sealed record NumberedBatch(long Number) : IDisposable
    {
        public static IEnumerable<NumberedBatch> From(long first)
        {
            for (var number = first; ; number++)
                yield return new NumberedBatch(number);
        }

        public void Dispose()
        {
        }
    }
}
