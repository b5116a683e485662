using System.CommandLine;
using Bruma.Data;
using Bruma.Recipes;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma train language-model</c>: a GPT-2 of one's own, from a text.</summary>
internal static class TrainLanguageModelCommand
{
    private static readonly LanguageModelOptions Defaults = new("", new RunSettings(2000, BatchSize: 16));

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = $"Text file, folder of .txt files, or {string.Join(" or ", ManPages.Names)} (Debian's manual pages).", Required = true };
        var output = RunOptions.Output;
        var run = new RunOptions(Defaults.Run, "Windows of text");
        var vocabulary = RunOptions.Number("--vocab-size", "Tokens to learn from the text.", Defaults.VocabSize);
        var tokenizer = new Option<string?>("--tokenizer") { Description = "Folder of a tokenizer to use instead of learning one." };
        var context = RunOptions.Number("--context", "Tokens that the model sees at once.", Defaults.Context);
        var width = RunOptions.Number("--width", "Width of the model.", Defaults.Width);
        var heads = RunOptions.Number("--heads", "Attention heads.", Defaults.Heads);
        var layers = RunOptions.Number("--layers", "Layers.", Defaults.Layers);
        var dropout = RunOptions.Number("--dropout", "Dropout in the network.", Defaults.Dropout);
        var heldOut = RunOptions.Number("--held-out", "Share of the text, its end, that is measured and not learned.", Defaults.HeldOut);
        var sampleTokens = RunOptions.Number("--sample-tokens", "Tokens of each sample.", Defaults.SampleTokens);
        var prompts = new Option<string[]>("--prompt") { Description = "What samples begin with; may be given several times." };
        var json = RunOptions.Json;
        var command = new Command("language-model", "Train a GPT-style language model from scratch on a text. Example: bruma train language-model --data manpages-es --output runs/lm")
        {
            data, output, vocabulary, tokenizer, context, width, heads, layers, dropout, heldOut, sampleTokens, prompts, json,
        };
        run.AddTo(command);
        command.SetAction((parsed, cancellation) => TrainingSession.Start(() => LanguageModelTraining.Start(parsed.GetValue(output)!, TrainingSession.Checked(() => new LanguageModelOptions(
            parsed.GetValue(data)!, run.Read(parsed), parsed.GetValue(vocabulary), parsed.GetValue(tokenizer), parsed.GetValue(context), parsed.GetValue(width), parsed.GetValue(heads), parsed.GetValue(layers),
            parsed.GetValue(dropout), parsed.GetValue(heldOut), parsed.GetValue(sampleTokens), parsed.GetValue(prompts) is { Length: > 0 } given ? given : null).Checked())), parsed.GetValue(json), cancellation));
        return command;
    }
}
