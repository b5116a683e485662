using System.CommandLine;
using Bruma.Recipes;

namespace Bruma.Cli;

/// <summary>The options that every training of a text network has.</summary>
internal sealed class RunOptions
{
    private readonly Option<int> _steps;
    private readonly Option<int> _batchSize;
    private readonly Option<int> _checkpointEvery;
    private readonly Option<int> _checkpointsLimit;
    private readonly Option<int> _sampleEvery;
    private readonly Option<long?> _seed = new("--seed") { Description = "Seed of everything random (default: drawn and printed)." };
    private readonly Option<string> _precision;
    private readonly Option<int> _threads;
    private readonly Option<double> _learningRate;
    private readonly Option<string> _schedule;
    private readonly Option<int> _warmup;
    private readonly Option<double> _weightDecay;
    private readonly Option<double> _clip;

    public RunOptions(RunSettings defaults, string examples)
    {
        _steps = Number("--steps", "Optimizer updates.", defaults.Steps);
        _batchSize = Number("--batch-size", $"{examples} per update.", defaults.BatchSize);
        _checkpointEvery = Number("--checkpoint-every", "Updates between checkpoints.", defaults.CheckpointEvery);
        _checkpointsLimit = Number("--checkpoints-total-limit", "Checkpoints to keep; 0 keeps all.", defaults.CheckpointsTotalLimit);
        _sampleEvery = Number("--sample-every", "Updates between samples and measures on held-out text; 0 for none.", defaults.SampleEvery);
        _precision = Number("--precision", "fp32 or bf16.", defaults.Precision);
        _threads = Number("--threads", "Threads; 0 for all processors.", defaults.Threads);
        _learningRate = Number("--learning-rate", "Highest learning rate.", defaults.LearningRate);
        _schedule = Number("--lr-schedule", "constant, linear, cosine, inverse_sqrt, one_cycle, ..., warmup-stable-linear.", defaults.LrSchedule);
        _warmup = Number("--lr-warmup-steps", "Updates of linear warm-up.", defaults.LrWarmupSteps);
        _weightDecay = Number("--weight-decay", "AdamW's decay; norms and biases have none.", defaults.WeightDecay);
        _clip = Number("--max-gradient-norm", "Gradients are clipped to this global norm.", defaults.MaxGradientNorm);
    }

    public static Option<string> Output => new("--output", "-o") { Description = "Folder of the run; must be new or empty.", Required = true };

    public static Option<bool> Json => new("--json") { Description = "Progress as JSON lines." };

    public static Option<T> Number<T>(string name, string description, T byDefault) => new(name) { Description = description, DefaultValueFactory = _ => byDefault };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _steps, _batchSize, _checkpointEvery, _checkpointsLimit, _sampleEvery, _seed, _precision, _threads, _learningRate, _schedule, _warmup, _weightDecay, _clip })
            command.Add(option);
    }

    public RunSettings Read(ParseResult parsed) => new(
        parsed.GetValue(_steps), parsed.GetValue(_batchSize), parsed.GetValue(_checkpointEvery), parsed.GetValue(_checkpointsLimit), parsed.GetValue(_sampleEvery), parsed.GetValue(_seed) ?? Random.Shared.Next(),
        Native.Precision(parsed.GetValue(_precision)), Native.UseThreads(parsed.GetValue(_threads)), parsed.GetValue(_learningRate), parsed.GetValue(_schedule)!, parsed.GetValue(_warmup), parsed.GetValue(_weightDecay), parsed.GetValue(_clip));
}
