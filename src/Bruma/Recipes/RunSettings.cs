using Bruma.Training;

namespace Bruma.Recipes;

/// <summary>How long, how fast and how exactly a run trains, whatever its network: a part of its <c>config.json</c>.</summary>
/// <param name="Steps">Optimizer updates.</param>
/// <param name="BatchSize">Examples per update.</param>
/// <param name="CheckpointsTotalLimit">Checkpoints to keep; 0 keeps all.</param>
/// <param name="SampleEvery">Updates between samples; 0 for none.</param>
/// <param name="Precision"><c>bf16</c> or <c>fp32</c>.</param>
/// <param name="Threads">Threads of the native library; 0 for all processors.</param>
public sealed record RunSettings(
    int Steps,
    int BatchSize = 32,
    int CheckpointEvery = 500,
    int CheckpointsTotalLimit = 2,
    int SampleEvery = 250,
    long Seed = 0,
    string Precision = "fp32",
    int Threads = 0,
    double LearningRate = 1e-3,
    string LrSchedule = "cosine",
    int LrWarmupSteps = 100,
    double WeightDecay = 0.01,
    double MaxGradientNorm = 1)
{
    internal LearningRateSchedule Schedule => new(LrSchedule, LearningRate, LrWarmupSteps, Steps);

    /// <summary>Refuses values that no run could have, each by its option's name.</summary>
    public void Check()
    {
        RunConfig.Require(Steps >= 1, "--steps", Steps, "at least 1");
        RunConfig.Require(BatchSize >= 1, "--batch-size", BatchSize, "at least 1");
        RunConfig.Require(CheckpointEvery >= 1, "--checkpoint-every", CheckpointEvery, "at least 1");
        RunConfig.Require(CheckpointsTotalLimit >= 0, "--checkpoints-total-limit", CheckpointsTotalLimit, "0 (all) or more");
        RunConfig.Require(SampleEvery >= 0, "--sample-every", SampleEvery, "0 (never) or more");
        RunConfig.Require(Precision is "fp32" or "bf16", "--precision", Precision, "fp32 or bf16");
        RunConfig.Require(Threads >= 0, "--threads", Threads, "0 (all) or more");
        RunConfig.Require(LearningRate > 0 && double.IsFinite(LearningRate), "--learning-rate", LearningRate, "greater than 0");
        RunConfig.Require(LrWarmupSteps >= 0, "--lr-warmup-steps", LrWarmupSteps, "0 or more");
        RunConfig.Require(LrSchedule != "noam", "--lr-schedule", LrSchedule, "another one; inverse_sqrt has the same shape with a rate of its own");
        RunConfig.Require(WeightDecay >= 0, "--weight-decay", WeightDecay, "0 or more");
        RunConfig.Require(MaxGradientNorm > 0, "--max-gradient-norm", MaxGradientNorm, "greater than 0");
        _ = Schedule.At(Steps);
    }
}
