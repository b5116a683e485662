using System.Text.Json;
using System.Text.Json.Serialization;
using Bruma.Training;

namespace Bruma.Recipes.Finetuning;

/// <summary>Everything that decides how a pretrained network is adapted to a task: <c>config.json</c> of its run folder.</summary>
/// <param name="Model">Folder of the pretrained network.</param>
/// <param name="Data">File or folder of examples.</param>
/// <param name="Task">One of <see cref="FinetuneTasks.Names"/>.</param>
/// <param name="Test">Examples that only the final report sees; empty for a share of the data.</param>
/// <param name="TestShare">Share of the data kept for the report where there is no test file.</param>
/// <param name="ValidationShare">Share of the training examples kept to watch the training.</param>
/// <param name="Strategy">One of <see cref="Strategies.Names"/>.</param>
/// <param name="LearningRate">Highest rate; 0 takes the strategy's own.</param>
/// <param name="LrWarmup">Share of the run that warms up.</param>
/// <param name="LayerDecay">Factor on the rate from each layer to the one below; 1 for none.</param>
/// <param name="LoraTargets">Names of layers, comma-separated; empty for the network's own.</param>
/// <param name="Pooling">How tokens become one vector: <c>mean</c>, <c>first</c>, <c>max</c> or <c>pooler</c>; empty for the model's own.</param>
/// <param name="Patience">Epochs without a better validation score after which training stops and the best is kept; 0 trains to the end and keeps the last.</param>
/// <param name="ClassWeights"><c>none</c>, or <c>balanced</c>: rare classes count more.</param>
/// <param name="C">Inverse strength of the probe's regularisation; 0 chooses it by cross-validation on the training examples.</param>
/// <param name="Dropout">Of the head and in the network; negative keeps the network's own.</param>
public sealed record FinetuneOptions(
    string Model,
    string Data,
    string Task = "",
    string Test = "",
    double TestShare = 0.2,
    double ValidationShare = 0.1,
    string Strategy = "lora",
    int Epochs = 3,
    int BatchSize = 16,
    int GradientAccumulationSteps = 1,
    double LearningRate = 0,
    string LrSchedule = "linear",
    double LrWarmup = 0.1,
    double WeightDecay = 0.01,
    double MaxGradientNorm = 1,
    double LayerDecay = 1,
    int LoraRank = 8,
    double LoraAlpha = 16,
    double LoraDropout = 0,
    string LoraTargets = "",
    int MaxLength = 128,
    string Pooling = "",
    int Patience = 0,
    string ClassWeights = "none",
    double Dropout = -1,
    double C = 0,
    int CheckpointEvery = 500,
    bool GradientCheckpointing = false,
    long Seed = 0,
    string Precision = "fp32",
    int Threads = 0)
{
    /// <summary>Names the recipe in <c>config.json</c>, so that <c>resume</c> knows what to run.</summary>
    public string Recipe { get; init; } = RecipeName;

    public const string RecipeName = "finetune";

    /// <summary>Without a validation split the test examples are watched, for curves that nothing is chosen by.</summary>
    public bool WatchTest { get; init; }

    /// <summary>Whether the test examples are a file of their own, so that seeds do not change them.</summary>
    public bool HasTestFile() => FinetuneTasks.HasTestFile(this);

    private static readonly string[] Poolings = ["", "mean", "first", "max", "pooler"];
    private static readonly string[] Weightings = ["none", "balanced"];

    /// <summary>Refuses values that no run could have, each by its option's name.</summary>
    public FinetuneOptions Checked()
    {
        RunConfig.Require(Task.Length == 0 || FinetuneTasks.Names.Contains(Task), "--task", Task, string.Join(", ", FinetuneTasks.Names));
        _ = Strategies.Parse(Strategy);
        RunConfig.Require(TestShare is >= 0 and < 1, "--test-share", TestShare, "0 to below 1");
        RunConfig.Require(ValidationShare is >= 0 and < 1, "--validation-share", ValidationShare, "0 to below 1");
        RunConfig.Require(Epochs >= 1, "--epochs", Epochs, "at least 1");
        RunConfig.Require(BatchSize >= 1, "--batch-size", BatchSize, "at least 1");
        RunConfig.Require(GradientAccumulationSteps >= 1, "--gradient-accumulation-steps", GradientAccumulationSteps, "at least 1");
        RunConfig.Require(LearningRate >= 0 && double.IsFinite(LearningRate), "--learning-rate", LearningRate, "greater than 0");
        RunConfig.Require(LrWarmup is >= 0 and <= 1, "--lr-warmup", LrWarmup, "a share from 0 to 1");
        RunConfig.Require(LearningRateSchedule.Names.Contains(LrSchedule) && LrSchedule != "noam", "--lr-schedule", LrSchedule, string.Join(", ", LearningRateSchedule.Names.Where(name => name != "noam")));
        RunConfig.Require(WeightDecay >= 0, "--weight-decay", WeightDecay, "0 or more");
        RunConfig.Require(MaxGradientNorm > 0, "--max-gradient-norm", MaxGradientNorm, "greater than 0");
        RunConfig.Require(LayerDecay is > 0 and <= 1, "--layer-decay", LayerDecay, "above 0, at most 1");
        RunConfig.Require(LoraRank >= 1, "--rank", LoraRank, "at least 1");
        RunConfig.Require(LoraAlpha > 0, "--alpha", LoraAlpha, "greater than 0");
        RunConfig.Require(LoraDropout is >= 0 and < 1, "--lora-dropout", LoraDropout, "0 to below 1");
        RunConfig.Require(MaxLength >= 3, "--max-length", MaxLength, "at least 3");
        RunConfig.Require(Poolings.Contains(Pooling), "--pooling", Pooling, string.Join(", ", Poolings[1..]));
        RunConfig.Require(Patience >= 0, "--patience", Patience, "0 (off) or more");
        RunConfig.Require(Patience == 0 || ValidationShare > 0, "--patience", Patience, "0 without a validation split; give --validation-share");
        RunConfig.Require(Weightings.Contains(ClassWeights), "--class-weights", ClassWeights, string.Join(" or ", Weightings));
        RunConfig.Require(Dropout < 1, "--dropout", Dropout, "0 to below 1");
        RunConfig.Require(C >= 0, "--regularization", C, "0 (chosen by cross-validation) or more");
        RunConfig.Require(CheckpointEvery >= 1, "--checkpoint-every", CheckpointEvery, "at least 1");
        RunConfig.Require(Precision is "fp32" or "bf16", "--precision", Precision, "fp32 or bf16");
        RunConfig.Require(Threads >= 0, "--threads", Threads, "0 (all) or more");
        return this;
    }

    public string ToJson() => JsonSerializer.Serialize(this, FinetuneOptionsJson.Default.FinetuneOptions) + "\n";

    /// <summary>Reads the <c>config.json</c> of a run.</summary>
    public static FinetuneOptions Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), FinetuneOptionsJson.Default.FinetuneOptions)!.Checked();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BrumaException($"{path}: not the configuration of a run ({e.Message.TrimEnd('.')}); give the folder that bruma finetune wrote.", e);
        }
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FinetuneOptions))]
internal sealed partial class FinetuneOptionsJson : JsonSerializerContext;
