using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bruma.Recipes;

/// <summary>Everything that decides the training of a small classifier: <c>config.json</c> of its run folder.</summary>
/// <param name="Data"><c>fashion-mnist</c>, or a folder with classes as subfolders.</param>
/// <param name="Steps">Optimizer updates.</param>
/// <param name="Resolution">Height and width in pixels; 0 takes the data's own, at most 64.</param>
/// <param name="Name">What distances in its features are called: FD-NAME.</param>
public sealed record ClassifierOptions(
    string Data, int Steps = 2400, int BatchSize = 128, double LearningRate = 2e-3, double WeightDecay = 0.01, double LabelSmoothing = 0.05, bool Flip = true, int Resolution = 0,
    int CheckpointEvery = 400, long Seed = 0, int Threads = 0, string Name = "own")
{
    public const string RecipeName = "classifier";

    /// <summary>Names the recipe in <c>config.json</c>, so that <c>resume</c> knows what to run.</summary>
    public string Recipe { get; init; } = RecipeName;

    /// <summary>Refuses values that no run could have, each by its option's name.</summary>
    public ClassifierOptions Checked()
    {
        RunConfig.Require(Steps >= 1, "--steps", Steps, "at least 1");
        RunConfig.Require(BatchSize >= 2, "--batch-size", BatchSize, "at least 2, for the batch norms");
        RunConfig.Require(LearningRate > 0 && double.IsFinite(LearningRate), "--learning-rate", LearningRate, "greater than 0");
        RunConfig.Require(WeightDecay >= 0, "--weight-decay", WeightDecay, "0 or more");
        RunConfig.Require(LabelSmoothing is >= 0 and < 1, "--label-smoothing", LabelSmoothing, "0 to below 1");
        RunConfig.Require(CheckpointEvery >= 1, "--checkpoint-every", CheckpointEvery, "at least 1");
        RunConfig.Require(Resolution == 0 || Resolution is >= 8 and <= 128, "--resolution", Resolution, "8 to 128");
        RunConfig.Require(Threads >= 0, "--threads", Threads, "0 (all) or more");
        return this;
    }

    public string ToJson() => JsonSerializer.Serialize(this, ClassifierOptionsJson.Default.ClassifierOptions) + "\n";

    /// <summary>Reads the <c>config.json</c> of a run.</summary>
    public static ClassifierOptions Read(string path) => RunConfig.Read(path, ClassifierOptionsJson.Default.ClassifierOptions).Checked();
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ClassifierOptions))]
internal sealed partial class ClassifierOptionsJson : JsonSerializerContext;
