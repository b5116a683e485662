using System.CommandLine;
using Bruma.Gans;
using Bruma.Recipes;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma train gan</c>: trains a GAN from scratch.</summary>
internal static class TrainGanCommand
{
    private static readonly GanOptions Defaults = new("");

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = $"fashion-mnist, one of {string.Join(", ", PictureSets.Names)}, or a folder of images (classes as subfolders).", Required = true };
        var output = new Option<string>("--output", "-o") { Description = "Folder of the run; must be new or empty.", Required = true };
        var objective = new Option<string>("--objective") { Description = $"What the two networks play for: {string.Join(", ", GanRecipe.Names)}.", DefaultValueFactory = _ => Defaults.Objective };
        var architecture = new Option<string?>("--architecture") { Description = "dcgan or resnet (default: resnet for r3gan, else dcgan)." };
        var steps = Number("--steps", "Updates of the generator.", Defaults.Steps);
        var batchSize = new Option<int?>("--batch-size") { Description = "Images per update (default: 64 to 40 px, else 32)." };
        var resolution = Number("--resolution", "Height and width in pixels, 16 to 128; 0 takes the data's own, at most 64.", Defaults.Resolution);
        var seed = new Option<long?>("--seed") { Description = "Seed of everything random (default: drawn and printed)." };
        var checkpointEvery = Number("--checkpoint-every", "Updates between checkpoints.", Defaults.CheckpointEvery);
        var checkpointsLimit = Number("--checkpoints-total-limit", "Checkpoints to keep; 0 keeps all.", Defaults.CheckpointsTotalLimit);
        var evaluateEvery = Number("--evaluate-every", "Updates between measurements of the samples; 0 measures at the end only.", Defaults.EvaluateEvery);
        var evaluateSamples = Number("--evaluate-samples", "Pictures per measurement; 0 measures nothing.", Defaults.EvaluateSamples);
        var latent = Number("--latent-width", "Width of the noise.", Defaults.LatentWidth);
        var learningRate = new Option<double?>("--learning-rate") { Description = "Adam's rate of the generator (default: by the objective)." };
        var judgeRate = new Option<double?>("--discriminator-learning-rate") { Description = "Adam's rate of the discriminator (default: the generator's)." };
        var judgeSteps = new Option<int?>("--discriminator-steps") { Description = "Updates of the discriminator before each of the generator (default: 5 for wgan-gp, else 1)." };
        var penalty = new Option<double?>("--penalty-weight") { Description = "Weight of the gradient penalty of wgan-gp or r3gan (default 10)." };
        var penaltyEvery = Number("--penalty-every", "Gradient penalties only every n-th update, n times as strong.", Defaults.PenaltyEvery);
        var ema = Number("--ema-decay", "Decay of the averaged generator; 0 averages nothing.", Defaults.EmaDecay);
        var augment = new Option<string?>("--diffaugment") { Description = $"Some of {string.Join(",", DiffAugment.Groups)}, or none (default: all below 5,000 images)." };
        var flip = new Option<bool?>("--flip") { Description = "Mirror half of the images: true or false (default: true for a folder of images)." };
        var threads = Number("--threads", "Threads; 0 for all processors.", Defaults.Threads);
        var json = new Option<bool>("--json") { Description = "Progress as JSON lines." };
        var command = new Command("gan", "Train a GAN from scratch. Example: bruma train gan --data fashion-mnist --output runs/gan --objective hinge")
        {
            data, output, objective, architecture, steps, batchSize, resolution, seed, checkpointEvery, checkpointsLimit, evaluateEvery, evaluateSamples, latent, learningRate, judgeRate, judgeSteps,
            penalty, penaltyEvery, ema, augment, flip, threads, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.Start(() => GanTraining.Start(parsed.GetValue(output)!, TrainingSession.Checked(() => new GanOptions(
            parsed.GetValue(data)!, parsed.GetValue(objective)!.ToLowerInvariant(), parsed.GetValue(architecture)?.ToLowerInvariant(), parsed.GetValue(steps), parsed.GetValue(batchSize) is { } size ? Positive(size) : 0,
            parsed.GetValue(resolution), parsed.GetValue(seed) ?? Random.Shared.Next(), parsed.GetValue(checkpointEvery), parsed.GetValue(checkpointsLimit), parsed.GetValue(evaluateEvery), parsed.GetValue(evaluateSamples),
            parsed.GetValue(latent), parsed.GetValue(learningRate), parsed.GetValue(judgeRate), parsed.GetValue(judgeSteps), parsed.GetValue(penalty), parsed.GetValue(penaltyEvery), parsed.GetValue(ema),
            Groups(parsed.GetValue(augment)), parsed.GetValue(flip), Native.UseThreads(parsed.GetValue(threads))).Checked())
        with
        { Data = PictureSets.Folder(parsed.GetValue(data)!) }), parsed.GetValue(json), cancellation));
        return command;
    }

    private static string? Groups(string? text) => text is "none" ? "" : text;

    private static int Positive(int batchSize) => batchSize > 0 ? batchSize : throw new UsageException($"--batch-size {batchSize}: must be at least 2.");

    private static Option<T> Number<T>(string name, string description, T byDefault) => new(name) { Description = description, DefaultValueFactory = _ => byDefault };
}
