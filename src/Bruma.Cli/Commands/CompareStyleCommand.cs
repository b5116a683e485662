using System.CommandLine;
using Bruma.Data.Emoji;
using Bruma.Metrics;
using Bruma.Recipes.Emoji;
using Spectre.Console;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare style</c>: whether a run has learned a style of drawing.</summary>
internal static class CompareStyleCommand
{
    private static readonly StyleOptions Defaults = new("", "", "", "");

    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "Folder of a finished run on pictures of the style, such as of bruma train lora --recipe openmoji." };
        var output = new Option<string>("--output", "-o") { Description = "Folder for report.html, table.json, sheet.png and the samples; must be new or empty.", Required = true };
        var style = new Option<string>("--style") { Description = "The style: openmoji, or the folder of a built data set of one style.", DefaultValueFactory = _ => "openmoji" };
        var samples = new Option<int>("--samples") { Description = "Concepts to ask for, none of which the run saw.", DefaultValueFactory = _ => Defaults.Samples };
        var concepts = new Option<int>("--judge-concepts") { Description = "Further concepts, in all styles, from which the judge of styles learns.", DefaultValueFactory = _ => Defaults.JudgeConcepts };
        var seed = new Option<long>("--seed") { Description = "Seed of the first sample; the others follow." };
        var features = new Option<string>("--features") { Description = "Network that the judge of styles looks through: see bruma evaluate.", DefaultValueFactory = _ => Defaults.Features };
        var threads = new Option<int>("--threads") { Description = "Threads (default: all processors)." };
        var json = new Option<bool>("--json") { Description = "Print the table as JSON." };
        var command = new Command("style", "Say whether a new style of drawing was learned: concepts never seen in it, judged beside those of the base and real ones. Example: bruma compare style runs/openmoji --output runs/style")
        {
            run, output, style, samples, concepts, seed, features, threads, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            Native.UseThreads(parsed.GetValue(threads));
            Native.KeepMemory();
            var name = parsed.GetValue(style)!;
            var options = TrainingSession.Checked(() => new StyleOptions(parsed.GetValue(run)!, EmojiDataset.IsIn(name) ? name : EmojiDataset.DefaultFolder(name), EmojiDataset.DefaultFolder(EmojiOptions.RecipeName), EvaluateCommand.InstalledScorer(),
                parsed.GetValue(samples), parsed.GetValue(concepts), parsed.GetValue(seed), parsed.GetValue(features)!, FeatureCache.DefaultRoot).Checked());
            var folder = parsed.GetValue(output)!;
            var findings = StyleComparison.Run(folder, options, line => Console.Error.WriteLine(line), cancellation);
            return CompareCommand.Tell(folder, parsed.GetValue(json), () => Print(findings), "report.html", "sheet.png");
        }));
        return command;
    }

    private static void Print(StyleFindings findings)
    {
        var table = new Table().Border(TableBorder.Minimal).AddColumns([.. StyleComparisonFiles.Headers.Select(Markup.Escape)]);
        foreach (var row in findings.Rows)
            table.AddRow([.. StyleComparisonFiles.Cells(row).Select(Markup.Escape)]);
        AnsiConsole.Write(table);
        Console.WriteLine(StyleComparisonFiles.Verdict(findings));
    }
}
