using System.CommandLine;
using Bruma.Recipes;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma train diffusion</c>: trains a diffusion model from scratch.</summary>
internal static class TrainCommand
{
    private static readonly DiffusionOptions Defaults = new("");

    public static Command Create()
    {
        var command = new Command("train", "Train a model. Example: bruma train diffusion --data fashion-mnist --output runs/fashion --steps 3000")
        {
            Diffusion(), TrainGanCommand.Create(), TrainClassifierCommand.Create(), TrainTransformerCommand.Create(), TrainLanguageModelCommand.Create(), TrainTokenizerCommand.Create(), TrainEmojiCommand.Create(),
        };
        foreach (var recipe in AdaptCommands.Create())
            command.Subcommands.Add(recipe);
        return command;
    }

    private static Command Diffusion()
    {
        var data = new Option<string>("--data") { Description = $"fashion-mnist, one of {string.Join(", ", PictureSets.Names)}, or a folder of images (classes as subfolders).", Required = true };
        var output = new Option<string>("--output", "-o") { Description = "Folder of the run; must be new or empty.", Required = true };
        var steps = Number("--steps", "Optimizer updates.", Defaults.Steps);
        var batchSize = new Option<int?>("--batch-size") { Description = "Images per micro-batch (default: 128 to 36 px, 32 to 72 px, else 16)." };
        var accumulation = Number("--gradient-accumulation-steps", "Micro-batches per update.", Defaults.GradientAccumulationSteps);
        var checkpointEvery = Number("--checkpoint-every", "Updates between checkpoints.", Defaults.CheckpointEvery);
        var checkpointsLimit = Number("--checkpoints-total-limit", "Checkpoints to keep; 0 keeps all.", Defaults.CheckpointsTotalLimit);
        var sampleEvery = Number("--sample-every", "Updates between sample sheets; 0 draws none.", Defaults.SampleEvery);
        var seed = new Option<long?>("--seed") { Description = "Seed of everything random (default: drawn and printed)." };
        var precision = new Option<string?>("--precision") { Description = "bf16 or fp32 (default: bf16 where the CPU has it)." };
        var threads = Number("--threads", "Threads; 0 for all processors.", Defaults.Threads);
        var resolution = Number("--resolution", "Height and width in pixels; 0 takes the data's own, at most 64.", Defaults.Resolution);
        var prediction = new Option<string>("--prediction") { Description = "What the network predicts: epsilon, v, sample or flow.", DefaultValueFactory = _ => Defaults.Prediction };
        var sampling = new Option<string>("--timestep-sampling") { Description = "How times of flow are drawn: uniform, logit-normal or mode.", DefaultValueFactory = _ => Defaults.TimestepSampling };
        var learningRate = Number("--learning-rate", "Highest learning rate.", Defaults.LearningRate);
        var schedule = new Option<string>("--lr-schedule") { Description = "constant, constant_with_warmup, linear, cosine, ..., warmup-stable-linear.", DefaultValueFactory = _ => Defaults.LrSchedule };
        var warmup = Number("--lr-warmup-steps", "Updates of linear warm-up.", Defaults.LrWarmupSteps);
        var weightDecay = Number("--weight-decay", "AdamW's decay; norms and biases have none.", Defaults.WeightDecay);
        var clip = Number("--max-gradient-norm", "Gradients are clipped to this global norm.", Defaults.MaxGradientNorm);
        var ema = Number("--ema-decay", "Decay of the averaged weights.", Defaults.EmaDecay);
        var classDropout = Number("--class-dropout", "Share of examples trained without their class.", Defaults.ClassDropout);
        var dropout = Number("--dropout", "Dropout in the network.", Defaults.Dropout);
        var minSnr = new Option<double?>("--min-snr-gamma") { Description = "Min-SNR loss weighting (5 is usual; not for flow)." };
        var noiseOffset = Number("--noise-offset", "Offset noise.", Defaults.NoiseOffset);
        var perturbation = Number("--input-perturbation", "Input perturbation.", Defaults.InputPerturbation);
        var flip = new Option<bool?>("--flip") { Description = "Mirror half of the images: true or false (default: true for a folder of images)." };
        var crop = new Option<bool>("--random-crop") { Description = "Crop at random places instead of the centre." };
        var checkpointing = new Option<bool>("--gradient-checkpointing") { Description = "Less memory for more time; the same numbers." };
        var report = Number("--report-samples", "Pictures for the report at the end; 0 skips the report.", Defaults.ReportSamples);
        var evaluateEvery = Number("--evaluate-every", "Updates between measurements (Fréchet distance, KID, precision, coverage) of samples against real images; 0 never.", Defaults.EvaluateEvery);
        var evaluateSamples = Number("--evaluate-samples", "Samples drawn for each measurement.", Defaults.EvaluateSamples);
        var json = new Option<bool>("--json") { Description = "Progress as JSON lines." };
        var command = new Command("diffusion", "Train a diffusion model from scratch. Example: bruma train diffusion --data photos/ --output runs/photos --resolution 64")
        {
            data, output, steps, batchSize, accumulation, checkpointEvery, checkpointsLimit, sampleEvery, seed, precision, threads, resolution, prediction, sampling, learningRate, schedule,
            warmup, weightDecay, clip, ema, classDropout, dropout, minSnr, noiseOffset, perturbation, flip, crop, checkpointing, report, evaluateEvery, evaluateSamples, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.Start(() => DiffusionTraining.Start(parsed.GetValue(output)!, TrainingSession.Checked(() => new DiffusionOptions(
            parsed.GetValue(data)!, parsed.GetValue(steps), parsed.GetValue(batchSize) ?? 0, parsed.GetValue(accumulation), parsed.GetValue(checkpointEvery), parsed.GetValue(sampleEvery),
            parsed.GetValue(checkpointsLimit), parsed.GetValue(seed) ?? Random.Shared.Next(), Native.Precision(parsed.GetValue(precision)), Native.UseThreads(parsed.GetValue(threads)), parsed.GetValue(resolution),
            parsed.GetValue(prediction)!, parsed.GetValue(sampling)!, parsed.GetValue(learningRate), parsed.GetValue(schedule)!, parsed.GetValue(warmup), parsed.GetValue(weightDecay), parsed.GetValue(clip), parsed.GetValue(ema),
            parsed.GetValue(classDropout), parsed.GetValue(dropout), parsed.GetValue(minSnr), parsed.GetValue(noiseOffset), parsed.GetValue(perturbation), true, parsed.GetValue(flip), parsed.GetValue(crop),
            parsed.GetValue(checkpointing), parsed.GetValue(report), parsed.GetValue(evaluateEvery), parsed.GetValue(evaluateSamples)).Checked())
        with
        { Data = PictureSets.Folder(parsed.GetValue(data)!) }), parsed.GetValue(json), cancellation));
        return command;
    }

    private static Option<T> Number<T>(string name, string description, T byDefault) => new(name) { Description = description, DefaultValueFactory = _ => byDefault };
}
