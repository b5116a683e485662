using Bruma.Data.Sequences;
using Bruma.Nn;
using Bruma.Text;
using Bruma.Training;
using Bruma.Transformers;

namespace Bruma.Recipes;

/// <summary>An encoder-decoder trained from scratch to turn one text into another.</summary>
public sealed class SequenceTraining : TextTraining<SequenceBatch>
{
    private const int Sampled = 64;
    private const int Shown = 12;

    private readonly SequenceTask _task;
    private readonly CharacterVocabulary _vocabulary;
    private readonly SequenceTransformer _network;

    private SequenceTraining(RunFolder run, SequenceOptions options, (SequenceTask Task, CharacterVocabulary Vocabulary) data, SequenceTransformer network)
        : base(run, options.Run, network, (batch, _) => Loss(network, batch, options.LabelSmoothing), new AdamWOptions(options.Run.LearningRate, Beta2: 0.98, WeightDecay: options.Run.WeightDecay)) =>
        (Options, _task, _vocabulary, _network) = (options, data.Task, data.Vocabulary, network);

    public SequenceOptions Options { get; }

    public override string Rate => FormattableString.Invariant($"{(SecondsPerStep == 0 ? 0 : Options.Run.BatchSize / SecondsPerStep):0} pairs/s");

    public override IEnumerable<string> Introduction =>
    [
        $"{_task.Name}: {_task.Description}; {_vocabulary.Characters.Count} characters",
        FormattableString.Invariant($"{Trainer.Parameters.Count / 1e6:0.00} M parameters, {Options.Layers} + {Options.Layers} layers of width {Options.Width}, {Options.Positions} positions, batch {Options.Run.BatchSize}, {Options.Run.Precision}, seed {Options.Run.Seed}, {Options.Run.Steps} steps into {Folder}"),
    ];

    /// <summary>Begins a run.</summary>
    /// <exception cref="BrumaException">Task or folder are not usable; nothing is written then.</exception>
    public static SequenceTraining Start(string folder, SequenceOptions options)
    {
        options.Checked();
        RunFolder.CheckNew(folder);
        options = options with { Task = File.Exists(options.Task) ? Path.GetFullPath(options.Task) : options.Task };
        var task = SequenceTask.Open(options.Task);
        var run = RunFolder.Create(folder, options.ToJson());
        run.WriteProvenance(options.Run.Precision, Sum(options));
        return Create(run, options, task);
    }

    /// <summary>Goes on with a run from its newest checkpoint, or from the start when there is none yet.</summary>
    /// <exception cref="BrumaException">The pairs are no longer those that the run began with.</exception>
    public static SequenceTraining Resume(string folder)
    {
        var run = RunFolder.Open(folder);
        var options = TextRunJson.Read(run.Config, TextRunJson.Default.SequenceOptions).Checked();
        var task = SequenceTask.Open(options.Task);
        Provenance.RequireSameData(run.Root, options.Task, Sum(options));
        var training = Create(run, options, task);
        training.Restore();
        return training;
    }

    public override IEnumerable<string> Finish()
    {
        Evaluated(() =>
        {
            _network.Save(Files.Model);
            _vocabulary.Save(Files.Model);
            return true;
        });
        yield return $"model: {Files.Model} (bruma complete {Folder} \"{_task.HeldOut(1)[0].Source}\")";
        LossPlot.Write(Path.Combine(Folder, "loss.png"), Files.ReadStats());
        foreach (var line in Evaluated(() => new SequenceReport(_network, _vocabulary, Options).Write(Folder, _task)))
            yield return line;
    }

    protected override IEnumerable<SequenceBatch> Batches(long first) => new SequenceBatches(_task, _vocabulary, Options.Run.BatchSize, Options.Run.Seed).From(first);

    protected override IReadOnlyList<KeyValuePair<string, double>> Sample(long step)
    {
        var examples = _task.HeldOut(Sampled);
        var written = SequenceScoring.Write(_network, _vocabulary, examples, _task.LongestTarget + 1);
        var lines = examples.Zip(written).Take(Shown).Select(pair => $"{(pair.First.Target == pair.Second ? "ok   " : "wrong")}  {pair.First.Source}  ->  {pair.Second}{(pair.First.Target == pair.Second ? "" : $"  (right: {pair.First.Target})")}");
        Hub.AtomicFile.WriteText(Path.Combine(Folder, "samples", $"step-{step:D7}.txt"), string.Join("\n", lines) + "\n");
        return [new("held_out_exact", SequenceScoring.Exact(examples, written))];
    }

    private static SequenceTraining Create(RunFolder run, SequenceOptions options, SequenceTask task)
    {
        var vocabulary = new CharacterVocabulary(task.Characters);
        var network = new SequenceTransformer(new SequenceTransformerConfig(vocabulary.Size, options.Plan, options.Positions));
        using var start = HashedSeed.At(options.Run.Seed, 0);
        network.Reset(start);
        return new SequenceTraining(run, options, (task, vocabulary), network);
    }

    private static TorchSharp.torch.Tensor Loss(SequenceTransformer network, SequenceBatch batch, double smoothing) =>
        SequenceLoss.Mean(network.call(new SequencePair(batch.Source, batch.SourceMask, batch.Input)), batch.Labels, CharacterVocabulary.PadId, smoothing);

    private static string Sum(SequenceOptions options) => File.Exists(options.Task) ? Hub.FileHash.Sha256(options.Task) : "";
}
