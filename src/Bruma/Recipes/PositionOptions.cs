using Bruma.Transformers;

namespace Bruma.Recipes;

/// <summary>What the comparison of position encodings trains.</summary>
/// <param name="Task"><c>copy</c>, <c>reverse</c> or <c>sort</c>.</param>
/// <param name="Text">Text for the language models; null to leave them out.</param>
/// <param name="Kinds">Encodings to compare; null for all.</param>
/// <param name="Steps">Updates of each encoder-decoder.</param>
/// <param name="TextSteps">Updates of each language model.</param>
/// <param name="Length">Letters of the longest training example; measured at once, twice and four times this length.</param>
/// <param name="Context">Characters that a language model is trained with; measured in the same way.</param>
public sealed record PositionOptions(
    string Task = "copy",
    string? Text = null,
    IReadOnlyList<string>? Kinds = null,
    int Steps = 1200,
    int TextSteps = 300,
    int BatchSize = 32,
    int Length = 10,
    int Context = 64,
    int Width = 64,
    int Heads = 4,
    int Layers = 2,
    int Examples = 200,
    double LearningRate = 2e-3,
    long Seed = 0)
{
    /// <summary>A run of seconds, to see that all works; its numbers say nothing.</summary>
    public PositionOptions Shortened() => this with { Steps = 30, TextSteps = 10, BatchSize = 8, Length = 5, Context = 16, Width = 16, Heads = 2, Layers = 1, Examples = 10 };

    internal IReadOnlyList<string> Compared => Kinds ?? PositionScheme.Kinds;

    internal TransformerPlan Plan => new(Width, Heads, Layers, Layers, 4 * Width, 0, NormFirst: true);

    /// <summary>Refuses values that no comparison could have, each by its option's name.</summary>
    public PositionOptions Checked()
    {
        RunConfig.Require(Task is "copy" or "reverse" or "sort", "--task", Task, "copy, reverse or sort");
        foreach (var kind in Compared)
            RunConfig.Require(PositionScheme.Kinds.Contains(kind), "--positions", kind, $"among {string.Join(", ", PositionScheme.Kinds)}");
        RunConfig.Require(Steps >= 1, "--steps", Steps, "at least 1");
        RunConfig.Require(TextSteps >= 1, "--text-steps", TextSteps, "at least 1");
        RunConfig.Require(BatchSize >= 1, "--batch-size", BatchSize, "at least 1");
        RunConfig.Require(Length is >= 2 and <= 64, "--length", Length, "2 to 64");
        RunConfig.Require(Context is >= 8 and <= 1024, "--context", Context, "8 to 1024");
        RunConfig.Require(Heads >= 1 && Width >= 1 && Width % Heads == 0 && Width / Heads % 2 == 0, "--width", Width, $"an even number for each of {Heads} heads");
        RunConfig.Require(Layers is >= 1 and <= 12, "--layers", Layers, "1 to 12");
        RunConfig.Require(Examples >= 1, "--examples", Examples, "at least 1");
        RunConfig.Require(LearningRate > 0, "--learning-rate", LearningRate, "greater than 0");
        return this;
    }
}
