using System.CommandLine;
using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json;
using Bruma.Recipes.Finetuning;
using Bruma.Transformers.Embeddings;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma predict</c>: asks a fine-tuned model about texts or pictures.</summary>
internal static class PredictCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "Folder of a classifier or of a model of likeness, or a run of bruma finetune." };
        var inputs = new Argument<string[]>("input") { Description = "Texts, or pictures' files; - reads lines from standard input.", Arity = ArgumentArity.ZeroOrMore };
        var input = new Option<string?>("--input", "-i") { Description = "File with an input per line; - for standard input." };
        var second = new Option<string?>("--pair") { Description = "Second text, for a model of pairs; in files a tab stands between the two." };
        var top = new Option<int>("--top") { Description = "Classes to show of each.", DefaultValueFactory = _ => 3 };
        var json = new Option<bool>("--json") { Description = "A line of JSON per input." };
        var command = new Command("predict", "Ask a fine-tuned model. Example: bruma predict runs/reviews \"I loved every minute\"") { model, inputs, input, second, top, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var lines = TextLines.Read(parsed.GetValue(inputs) ?? [], parsed.GetValue(input));
            var folder = TextModels.Find(parsed.GetValue(model)!);
            if (!Predictor.IsClassifier(folder) && File.Exists(Path.Combine(folder, "modules.json")))
            {
                Compare(folder, Pairs(lines, parsed.GetValue(second)), parsed.GetValue(json), cancellation);
                return 0;
            }
            using var predictor = Predictor.Load(folder);
            foreach (var (line, pair) in Pairs(lines, parsed.GetValue(second)))
            {
                cancellation.ThrowIfCancellationRequested();
                if (predictor.TakesPictures && !File.Exists(line))
                    throw new BrumaException($"{line}: no such file; this model takes pictures.");
                Write(line, predictor.Predict(line, pair).Take(Math.Max(1, parsed.GetValue(top))).ToList(), parsed.GetValue(json));
            }
            TellCut(predictor.Truncated);
            return 0;
        }, cancellation));
        return command;
    }

    private static IEnumerable<(string Text, string? Pair)> Pairs(IEnumerable<string> lines, string? second)
    {
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                throw new BrumaException($"input {number}: the text is empty; remove it.");
            yield return second is null && line.Split('\t') is [var first, var other] ? (first, other) : (line, second);
        }
    }

    /// <summary>A model that was trained on degrees of likeness says how alike two texts are.</summary>
    private static void Compare(string folder, IEnumerable<(string Text, string? Pair)> pairs, bool json, CancellationToken cancellation)
    {
        using var embedder = TextEmbedders.Load(folder);
        foreach (var (text, pair) in pairs)
        {
            cancellation.ThrowIfCancellationRequested();
            if (pair is null)
                throw new BrumaException($"{folder}: says how alike two texts are and has no classes; give the second with --pair, or use bruma embed --model for vectors.");
            using var vectors = embedder.Embed([text, pair]);
            var rows = vectors.Rows();
            var cosine = TensorPrimitives.CosineSimilarity<float>(rows[0], rows[1]);
            Console.WriteLine(json ? JsonSerializer.Serialize(new { text, pair, cosine }) : string.Create(CultureInfo.InvariantCulture, $"{cosine,7:0.0000}  {text} / {pair}"));
        }
        TellCut(embedder.Truncated);
    }

    private static void TellCut(long texts)
    {
        if (texts > 0)
            Console.Error.WriteLine($"{texts} texts were longer than the model takes and were cut");
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
