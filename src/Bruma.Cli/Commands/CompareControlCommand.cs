using System.CommandLine;
using Bruma.Metrics;
using Bruma.Recipes.Cats;
using Spectre.Console;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare control</c>: whether a model of photos does what it is told.</summary>
internal static class CompareControlCommand
{
    private static readonly ControlOptions Defaults = new("");

    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "Folder of a finished run of bruma train text-to-image or lora on photos in classes." };
        var outline = new Option<string?>("--outline") { Description = "Folder of a finished run of bruma train controlnet, whose outlines are measured as well." };
        var output = new Option<string>("--output", "-o") { Description = "Folder for report.html, table.json and the sheets; must be new or empty.", Required = true };
        var samples = new Option<int>("--samples") { Description = "Pictures for each setting.", DefaultValueFactory = _ => Defaults.Samples };
        var steps = new Option<int?>("--steps") { Description = "Denoising steps (default: the model's own)." };
        var start = new Option<string>("--start") { Description = "What the base draws to start from.", DefaultValueFactory = _ => Defaults.Start };
        var seed = new Option<long>("--seed") { Description = "Seed of the first picture of each setting." };
        var features = new Option<string>("--features") { Description = "Network that gives the features: see bruma evaluate.", DefaultValueFactory = _ => Defaults.Features };
        var threads = new Option<int>("--threads") { Description = "Threads (default: all processors)." };
        var json = new Option<bool>("--json") { Description = "Print the tables as JSON." };
        var command = new Command("control", "Measure what steers a model of photos: breed by word at every guidance, colours and light, language, start picture, inpainting, outlines. Example: bruma compare control runs/cats --output runs/control")
        {
            run, outline, output, samples, steps, start, seed, features, threads, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            Native.UseThreads(parsed.GetValue(threads));
            Native.KeepMemory();
            var options = TrainingSession.Checked(() => new ControlOptions(parsed.GetValue(run)!, parsed.GetValue(outline), parsed.GetValue(samples), parsed.GetValue(steps), parsed.GetValue(start)!, parsed.GetValue(seed), parsed.GetValue(features)!, FeatureCache.DefaultRoot).Checked());
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
