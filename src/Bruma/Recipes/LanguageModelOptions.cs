using System.Text.Json;
using Bruma.Transformers;

namespace Bruma.Recipes;

/// <summary>Everything that decides the training of a GPT-style language model from scratch: <c>config.json</c> of its run folder.</summary>
/// <param name="Data">A text file, a folder of text files, or a name of Debian's manual pages.</param>
/// <param name="VocabSize">Tokens that are learned from the text.</param>
/// <param name="Tokenizer">Folder of a tokenizer to use instead; null to learn one.</param>
/// <param name="Context">Tokens that the model sees at once.</param>
/// <param name="Width">D.</param>
/// <param name="HeldOut">Share of the text, its end, that is measured and not learned.</param>
/// <param name="Prompts">What samples begin with.</param>
public sealed record LanguageModelOptions(
    string Data,
    RunSettings Run,
    int VocabSize = 2048,
    string? Tokenizer = null,
    int Context = 128,
    int Width = 192,
    int Heads = 6,
    int Layers = 4,
    double Dropout = 0.1,
    double HeldOut = 0.05,
    int SampleTokens = 100,
    IReadOnlyList<string>? Prompts = null)
{
    public const string RecipeName = "language-model";

    public string Recipe { get; init; } = RecipeName;

    /// <summary>Refuses values that no run could have, each by its option's name.</summary>
    public LanguageModelOptions Checked()
    {
        Run.Check();
        RunConfig.Require(VocabSize >= 257, "--vocab-size", VocabSize, "at least 257, for the letters of all bytes and the end of a text");
        RunConfig.Require(Context is >= 8 and <= 8192, "--context", Context, "8 to 8192");
        RunConfig.Require(Heads >= 1, "--heads", Heads, "at least 1");
        RunConfig.Require(Width >= 1 && Width % Heads == 0, "--width", Width, $"a multiple of --heads, {Heads}");
        RunConfig.Require(Layers is >= 1 and <= 48, "--layers", Layers, "1 to 48");
        RunConfig.Require(Dropout is >= 0 and < 1, "--dropout", Dropout, "0 to below 1");
        RunConfig.Require(HeldOut is > 0 and < 0.9, "--held-out", HeldOut, "a share above 0 and below 0.9");
        RunConfig.Require(SampleTokens >= 1, "--sample-tokens", SampleTokens, "at least 1");
        return this;
    }

    public string ToJson() => JsonSerializer.Serialize(this, TextRunJson.Default.LanguageModelOptions) + "\n";

    internal Gpt2Config Network(int vocabulary) => new(vocabulary, Context, Width, Layers, Heads, ResidPdrop: Dropout, EmbdPdrop: Dropout, AttnPdrop: Dropout);
}
