using System.CommandLine;
using Bruma.Metrics;
using Bruma.Recipes;
using Bruma.Recipes.Cats;
using Spectre.Console;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare control</c>: whether a model of photos does what it is told.</summary>
internal static class CompareControlCommand
{
    private static readonly ControlOptions Defaults = new("");

    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "Folder of a finished run of bruma train text-to-image or lora on photos in classes; or, with --data, a model that builds on another, such as cats." };
        var data = new Option<string?>("--data") { Description = $"Photos that a model without its run was adapted to: a folder, or one of {string.Join(", ", PictureSets.Names)}." };
        var outline = new Option<string?>("--outline") { Description = "Folder of a finished run of bruma train controlnet, whose outlines are measured as well." };
        var output = new Option<string>("--output", "-o") { Description = "Folder for report.html, table.json and the sheets; must be new or empty.", Required = true };
        var samples = new Option<int>("--samples") { Description = "Pictures for each setting.", DefaultValueFactory = _ => Defaults.Samples };
        var steps = new Option<int?>("--steps") { Description = "Denoising steps (default: the model's own)." };
        var start = new Option<string>("--start") { Description = "What the base draws to start from.", DefaultValueFactory = _ => Defaults.Start };
        var seed = new Option<long>("--seed") { Description = "Seed of the first picture of each setting." };
        var features = new Option<string>("--features") { Description = "Network that gives the features: see bruma evaluate.", DefaultValueFactory = _ => Defaults.Features };
        var threads = new Option<int>("--threads") { Description = "Threads (default: all processors)." };
        var json = new Option<bool>("--json") { Description = "Print the tables as JSON." };
        var command = new Command("control", "Measure what steers a model of photos: breed by word at every guidance, colours and light, close-up or whole, language, start picture, inpainting, outlines. Example: bruma compare control runs/cats --output runs/control")
        {
            run, data, outline, output, samples, steps, start, seed, features, threads, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            Native.UseThreads(parsed.GetValue(threads));
            Native.KeepMemory();
            var options = TrainingSession.Checked(() => new ControlOptions(parsed.GetValue(run)!, parsed.GetValue(outline), parsed.GetValue(samples), parsed.GetValue(steps), parsed.GetValue(start)!, parsed.GetValue(seed), parsed.GetValue(features)!, FeatureCache.DefaultRoot).Checked());
            options = options with { Data = parsed.GetValue(data) is { } pictures ? PictureSets.Folder(pictures) : null };
            var folder = parsed.GetValue(output)!;
            var sections = ControlComparison.Run(folder, options, line => Console.Error.WriteLine(line), cancellation);
            return CompareCommand.Tell(folder, parsed.GetValue(json), () => Print(sections), "report.html");
        }));
        return command;
    }

    private static void Print(IReadOnlyList<ControlSection> sections)
    {
        foreach (var section in sections)
        {
            var table = new Table().Border(TableBorder.Minimal).Title(Markup.Escape(section.Title)).AddColumns([.. section.Headers.Select(Markup.Escape)]);
            foreach (var row in section.Rows)
                table.AddRow([.. ControlComparison.Cells(row).Select(Markup.Escape)]);
            AnsiConsole.Write(table);
        }
    }
}
