using System.CommandLine;
using System.Text.Json;
using Bruma.Data;
using Bruma.Recipes;
using Bruma.Training;
using Bruma.Transformers;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare positions</c>: the same transformer with each position encoding.</summary>
internal static class ComparePositionsCommand
{
    private static readonly PositionOptions Defaults = new();
    private static readonly JsonSerializerOptions Snake = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var task = RunOptions.Number("--task", "copy, reverse or sort.", Defaults.Task);
        var text = new Option<string?>("--text") { Description = $"Text for character language models: a file, a folder of .txt files, {string.Join(" or ", ManPages.Names)} (default: the first of these that is installed), or none." };
        var kinds = new Option<string[]>("--positions") { Description = $"Encodings to compare, of {string.Join(", ", PositionScheme.Kinds)} (default: all).", AllowMultipleArgumentsPerToken = true };
        var output = new Option<string>("--output", "-o") { Description = "Folder for the page, the plot and the numbers; must be new or empty.", Required = true };
        var steps = RunOptions.Number("--steps", "Updates of each encoder-decoder.", Defaults.Steps);
        var textSteps = RunOptions.Number("--text-steps", "Updates of each language model.", Defaults.TextSteps);
        var batch = RunOptions.Number("--batch-size", "Examples per update.", Defaults.BatchSize);
        var length = RunOptions.Number("--length", "Letters of the longest training example.", Defaults.Length);
        var context = RunOptions.Number("--context", "Characters that a language model is trained with.", Defaults.Context);
        var width = RunOptions.Number("--width", "Width of the models.", Defaults.Width);
        var heads = RunOptions.Number("--heads", "Attention heads.", Defaults.Heads);
        var layers = RunOptions.Number("--layers", "Layers.", Defaults.Layers);
        var examples = RunOptions.Number("--examples", "Unseen strings to measure at each length.", Defaults.Examples);
        var rate = RunOptions.Number("--learning-rate", "Highest learning rate.", Defaults.LearningRate);
        var seed = RunOptions.Number("--seed", "Seed of everything random.", Defaults.Seed);
        var threads = RunOptions.Number("--threads", "Threads (default: all processors).", 0);
        var quick = new Option<bool>("--quick") { Description = "Seconds instead of minutes, to see that all works; the numbers say nothing." };
        var json = new Option<bool>("--json") { Description = "Print a line of JSON per encoding." };
        var command = new Command("positions", "Compare position encodings at trained and longer lengths. Example: bruma compare positions --task reverse --output runs/positions")
        {
            task, text, kinds, output, steps, textSteps, batch, length, context, width, heads, layers, examples, rate, seed, threads, quick, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            Native.UseThreads(parsed.GetValue(threads));
            Native.KeepMemory();
            var options = TrainingSession.Checked(() => new PositionOptions(
                parsed.GetValue(task)!, TextOf(parsed.GetValue(text)), parsed.GetValue(kinds) is { Length: > 0 } given ? given : null, parsed.GetValue(steps), parsed.GetValue(textSteps), parsed.GetValue(batch),
                parsed.GetValue(length), parsed.GetValue(context), parsed.GetValue(width), parsed.GetValue(heads), parsed.GetValue(layers), parsed.GetValue(examples), parsed.GetValue(rate), parsed.GetValue(seed)).Checked());
            Run(parsed.GetValue(output)!, parsed.GetValue(quick) ? options.Shortened() : options, parsed.GetValue(json), cancellation);
            return 0;
        }));
        return command;
    }

    private static void Run(string folder, PositionOptions options, bool json, CancellationToken cancellation)
    {
        RunFolder.CheckNew(folder);
        var results = new List<PositionResult>();
        foreach (var result in new PositionComparison(options).Run(cancellation))
        {
            results.Add(result);
            Console.WriteLine(json
                ? JsonSerializer.Serialize(result, Snake)
                : FormattableString.Invariant($"{result.Kind}: exact {string.Join(", ", result.Exact.Select(share => FormattableString.Invariant($"{100 * share:0.0}%")))}, {result.Seconds:0} s"));
        }
        var lines = PositionReport.Write(folder, options, results);
        if (json)
            return;
        Console.WriteLine();
        foreach (var line in lines)
            Console.WriteLine(line);
        Console.WriteLine($"report: {Path.Combine(folder, "report.html")}");
    }

    /// <summary>The text that was asked for; without one, the manual pages that are here.</summary>
    private static string? TextOf(string? asked) => asked == "none" ? null : asked ?? ManPages.Installed.FirstOrDefault();
}
