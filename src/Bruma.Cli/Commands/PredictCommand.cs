using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bruma.Recipes.Finetuning;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma predict</c>: asks a fine-tuned model about texts or pictures.</summary>
internal static class PredictCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "Folder of a classifier, or a run of bruma finetune." };
        var inputs = new Argument<string[]>("input") { Description = "Texts, or pictures' files; - reads lines from standard input.", Arity = ArgumentArity.ZeroOrMore };
        var input = new Option<string?>("--input", "-i") { Description = "File with an input per line; - for standard input." };
        var top = new Option<int>("--top") { Description = "Classes to show of each.", DefaultValueFactory = _ => 3 };
        var json = new Option<bool>("--json") { Description = "A line of JSON per input." };
        var command = new Command("predict", "Ask a fine-tuned model. Example: bruma predict runs/reviews \"I loved every minute\"") { model, inputs, input, top, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var lines = TextLines.Read(parsed.GetValue(inputs) ?? [], parsed.GetValue(input));
            using var predictor = Predictor.Load(TextModels.Find(parsed.GetValue(model)!));
            foreach (var line in lines)
            {
                cancellation.ThrowIfCancellationRequested();
                if (predictor.TakesPictures && !File.Exists(line))
                    throw new BrumaException($"{line}: no such file; this model takes pictures.");
                Write(line, predictor.Predict(line).Take(Math.Max(1, parsed.GetValue(top))).ToList(), parsed.GetValue(json));
            }
            return 0;
        }, cancellation));
        return command;
    }

    private static void Write(string input, List<(string Label, double Probability)> classes, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { input, label = classes[0].Label, probabilities = classes.ToDictionary(pair => pair.Label, pair => pair.Probability) }));
            return;
        }
        Console.WriteLine(input);
        foreach (var (label, probability) in classes)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {probability,7:P1}  {label}"));
    }
}
