using System.CommandLine;
using Bruma.Recipes;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma train classifier</c>: trains a small classifier whose features measure generators.</summary>
internal static class TrainClassifierCommand
{
    private static readonly ClassifierOptions Defaults = new("");

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = $"fashion-mnist, one of {string.Join(", ", PictureSets.Names)}, or a folder with classes as subfolders.", Required = true };
        var output = new Option<string>("--output", "-o") { Description = "Folder of the run; must be new or empty.", Required = true };
        var steps = Number("--steps", "Optimizer updates.", Defaults.Steps);
        var batchSize = Number("--batch-size", "Images per update.", Defaults.BatchSize);
        var learningRate = Number("--learning-rate", "Highest learning rate; linear to 0.", Defaults.LearningRate);
        var weightDecay = Number("--weight-decay", "AdamW's decay; norms and biases have none.", Defaults.WeightDecay);
        var smoothing = Number("--label-smoothing", "Share of each label given to all classes.", Defaults.LabelSmoothing);
        var flip = Number("--flip", "Mirror half of the images.", Defaults.Flip);
        var resolution = Number("--resolution", "Height and width in pixels; 0 takes the data's own, at most 64.", Defaults.Resolution);
        var checkpointEvery = Number("--checkpoint-every", "Updates between checkpoints.", Defaults.CheckpointEvery);
        var seed = new Option<long?>("--seed") { Description = "Seed of everything random (default: drawn and printed)." };
        var threads = Number("--threads", "Threads; 0 for all processors.", Defaults.Threads);
        var name = new Option<string?>("--name") { Description = "Distances in its features are called FD-NAME (default: the data's name)." };
        var json = new Option<bool>("--json") { Description = "Progress as JSON lines." };
        var command = new Command("classifier", "Train a small classifier whose features measure generators of the same pictures. Example: bruma train classifier --data photos/ --output runs/judge")
        {
            data, output, steps, batchSize, learningRate, weightDecay, smoothing, flip, resolution, checkpointEvery, seed, threads, name, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.Start(() => ClassifierTraining.Start(parsed.GetValue(output)!, TrainingSession.Checked(() => new ClassifierOptions(
            parsed.GetValue(data)!, parsed.GetValue(steps), parsed.GetValue(batchSize), parsed.GetValue(learningRate), parsed.GetValue(weightDecay), parsed.GetValue(smoothing), parsed.GetValue(flip), parsed.GetValue(resolution),
            parsed.GetValue(checkpointEvery), parsed.GetValue(seed) ?? Random.Shared.Next(), Native.UseThreads(parsed.GetValue(threads)), parsed.GetValue(name) ?? Path.GetFileName(parsed.GetValue(data)!.TrimEnd('/'))).Checked())
        with
        { Data = PictureSets.Folder(parsed.GetValue(data)!) }),
            parsed.GetValue(json), cancellation));
        return command;
    }

    private static Option<T> Number<T>(string name, string description, T byDefault) => new(name) { Description = description, DefaultValueFactory = _ => byDefault };
}
