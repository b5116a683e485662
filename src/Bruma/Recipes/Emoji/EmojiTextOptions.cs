using Bruma.Metrics;
using Bruma.Training;
using Bruma.Transformers;

namespace Bruma.Recipes.Emoji;

/// <summary>Everything that decides the training of the text encoder, or of the scorer: <c>config.json</c> of its run folder.</summary>
/// <param name="Data">Folder of the built data set.</param>
/// <param name="SeesAll">Held-out pictures and captions too: for the scorer, which never teaches the generator.</param>
/// <param name="Width">Of the text encoder.</param>
/// <param name="BatchSize">Pictures per update; each comes with two captions.</param>
public sealed record EmojiTextOptions(
    string Data,
    bool SeesAll = false,
    int Width = 256,
    int Layers = 4,
    int VocabularySize = 4096,
    int Steps = 3000,
    int BatchSize = 128,
    double LearningRate = 1e-3,
    int WarmupSteps = 300,
    double EmaDecay = 0.999,
    int MeasureEvery = 250,
    long Seed = 0,
    string Precision = "fp32",
    int Threads = 0)
{
    public const string RecipeName = "emoji-text";
    public const int Positions = 32;

    private const int HeadWidth = 64;
    private const double WeightDecay = 0.05;

    /// <summary>Names the recipe in <c>config.json</c>, so that <c>resume</c> knows what to run.</summary>
    public string Recipe { get; init; } = RecipeName;

    /// <summary>The text encoder that ships.</summary>
    public static EmojiTextOptions TextEncoder(string data) => new(data);

    /// <summary>The judge: another seed, all data, small enough for 8 MB in fp16.</summary>
    public static EmojiTextOptions Scorer(string data) => new(data, SeesAll: true, Width: 192, Layers: 2, Seed: 1);

    /// <summary>Seconds on two cores.</summary>
    public static EmojiTextOptions Quick(string data) => new(data, Width: 64, Layers: 2, VocabularySize: 1024, Steps: 40, BatchSize: 32, WarmupSteps: 5, EmaDecay: 0.9, MeasureEvery: 20);

    internal EmojiStageSettings Settings => new(SeesAll ? "scorer" : "text encoder", Steps, BatchSize, MeasureEvery, Threads);

    /// <param name="vocabulary">Tokens that were learned: fewer than asked for where there is too little text.</param>
    internal ClipTextConfig Network(int vocabulary) => EmojiScorer.TextConfig((vocabulary, Positions), Width, Layers, Math.Max(1, Width / HeadWidth), projection: 256);

    internal TrainerOptions Trainer => new(
        Steps, new LearningRateSchedule("cosine", LearningRate, WarmupSteps, Steps), new AdamWOptions(LearningRate, WeightDecay: WeightDecay), new EmaOptions(EmaDecay), Seed: Seed);
}
