using System.Text.Json;
using System.Text.Json.Serialization;
using Bruma.Transformers;

namespace Bruma.Recipes;

/// <summary>Everything that decides the training of an encoder-decoder from scratch: <c>config.json</c> of its run folder.</summary>
/// <param name="Task">A task's name, or a file of sources and targets.</param>
/// <param name="Positions">One of <see cref="PositionScheme.Kinds"/>.</param>
/// <param name="Width">D.</param>
/// <param name="Layers">Of encoder and decoder each.</param>
/// <param name="Inner">Width of the feed-forward layers.</param>
/// <param name="NormFirst">Norms before attention and feed-forward instead of behind.</param>
/// <param name="LabelSmoothing">Share of the target that is spread over all characters.</param>
/// <param name="NumBeams">Of the report's beam search.</param>
/// <param name="ReportExamples">Held-out examples to measure at the end.</param>
public sealed record SequenceOptions(
    string Task,
    RunSettings Run,
    string Positions = "sinusoidal",
    int Width = 128,
    int Heads = 4,
    int Layers = 2,
    int Inner = 256,
    double Dropout = 0.1,
    bool NormFirst = true,
    double LabelSmoothing = 0.1,
    int NumBeams = 4,
    int ReportExamples = 500)
{
    public const string RecipeName = "sequence-transformer";

    public string Recipe { get; init; } = RecipeName;

    internal TransformerPlan Plan => new(Width, Heads, Layers, Layers, Inner, Dropout, NormFirst: NormFirst);

    /// <summary>Refuses values that no run could have, each by its option's name.</summary>
    public SequenceOptions Checked()
    {
        Run.Check();
        RunConfig.Require(PositionScheme.Kinds.Contains(Positions), "--positions", Positions, $"one of {string.Join(", ", PositionScheme.Kinds)}");
        RunConfig.Require(Heads >= 1, "--heads", Heads, "at least 1");
        RunConfig.Require(Width >= 1 && Width % Heads == 0, "--width", Width, $"a multiple of --heads, {Heads}");
        RunConfig.Require(Positions != "rotary" || Width / Heads % 2 == 0, "--width", Width, "an even number for each head, as rotary positions turn pairs");
        RunConfig.Require(Layers is >= 1 and <= 24, "--layers", Layers, "1 to 24");
        RunConfig.Require(Inner >= 1, "--inner", Inner, "at least 1");
        RunConfig.Require(Dropout is >= 0 and < 1, "--dropout", Dropout, "0 to below 1");
        RunConfig.Require(LabelSmoothing is >= 0 and < 1, "--label-smoothing", LabelSmoothing, "0 to below 1");
        RunConfig.Require(NumBeams is >= 1 and <= 64, "--num-beams", NumBeams, "1 to 64");
        RunConfig.Require(ReportExamples >= 1, "--report-examples", ReportExamples, "at least 1");
        return this;
    }

    public string ToJson() => JsonSerializer.Serialize(this, TextRunJson.Default.SequenceOptions) + "\n";
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SequenceOptions))]
[JsonSerializable(typeof(LanguageModelOptions))]
internal sealed partial class TextRunJson : JsonSerializerContext
{
    /// <summary>Reads the <c>config.json</c> of a run.</summary>
    /// <exception cref="BrumaException">It is none of this recipe.</exception>
    public static T Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type)!;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BrumaException($"{path}: not the configuration of a run ({e.Message.TrimEnd('.')}); give the folder that bruma train wrote.", e);
        }
    }
}
