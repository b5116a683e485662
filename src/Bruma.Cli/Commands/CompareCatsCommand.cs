using System.CommandLine;
using Bruma.Metrics;
using Bruma.Recipes;
using Bruma.Recipes.Cats;
using Spectre.Console;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare cats</c>: several ways to a model of the same photos in the same time.</summary>
internal static class CompareCatsCommand
{
    private static readonly CatComparisonOptions Defaults = new("", "", CatComparisonOptions.Names);

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = $"Folder of captioned photos, best in classes; or one of {string.Join(", ", PictureSets.Names)}.", DefaultValueFactory = _ => CatPhotos.Name };
        var model = new Option<string>("--model", "-m") { Description = "The base that is adapted: a diffusers folder, or a name of bruma models list.", DefaultValueFactory = _ => "emoji" };
        var output = new Option<string>("--output", "-o") { Description = "Folder for table.json, sheet.png, report.html, the samples and the runs; must be new or empty.", Required = true };
        var methods = new Option<string>("--methods") { Description = "Comma-separated: diffusion (class-conditional, from scratch), r3gan (from scratch, with DiffAugment), full, replay, lora (from the base).", DefaultValueFactory = _ => string.Join(",", Defaults.Methods) };
        var minutes = new Option<double>("--minutes") { Description = "Minutes of training for each.", DefaultValueFactory = _ => Defaults.Minutes };
        var replay = new Option<string>("--replay") { Description = "Pictures of the base's own kind for the method replay: a folder, or a name as in --data.", DefaultValueFactory = _ => "emoji" };
        var samples = new Option<int>("--samples") { Description = "Pictures to draw and measure of each.", DefaultValueFactory = _ => Defaults.Samples };
        var batchSize = new Option<int>("--batch-size") { Description = "Pictures per update of the methods that adapt the base.", DefaultValueFactory = _ => Defaults.BatchSize };
        var rank = new Option<int>("--rank") { Description = "Rank of the LoRA.", DefaultValueFactory = _ => Defaults.Rank };
        var seed = new Option<long>("--seed") { Description = "Seed of everything random." };
        var precision = new Option<string?>("--precision") { Description = "bf16 or fp32 (default: bf16 where the CPU has it)." };
        var features = new Option<string>("--features") { Description = "Network that gives the features: see bruma evaluate.", DefaultValueFactory = _ => Defaults.Features };
        var threads = new Option<int>("--threads") { Description = "Threads (default: all processors)." };
        var json = new Option<bool>("--json") { Description = "Print the table as JSON." };
        var command = new Command("cats", "Train models of the same photos from scratch and from a base, for the same time, and compare them. Example: bruma compare cats --minutes 20 --output runs/cats")
        {
            data, model, output, methods, minutes, replay, samples, batchSize, rank, seed, precision, features, threads, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            var names = parsed.GetValue(methods)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            var options = TrainingSession.Checked(() => (Defaults with
            {
                Methods = names,
                Minutes = parsed.GetValue(minutes),
                Replay = names.Contains(CatComparisonOptions.WithReplay) ? parsed.GetValue(replay) : null,
                Samples = parsed.GetValue(samples),
                BatchSize = parsed.GetValue(batchSize),
                Rank = parsed.GetValue(rank),
                Seed = parsed.GetValue(seed),
                Precision = Native.Precision(parsed.GetValue(precision)),
                Features = parsed.GetValue(features)!,
                Cache = FeatureCache.DefaultRoot,
                Threads = Native.UseThreads(parsed.GetValue(threads)),
            }).Checked());
            options = options with { Data = PictureSets.Folder(parsed.GetValue(data)!), Model = ModelPath.Find(parsed.GetValue(model)), Replay = options.Replay is { } pictures ? PictureSets.Folder(pictures) : null };
            Native.KeepMemory();
            var folder = parsed.GetValue(output)!;
            var findings = CatComparison.Run(folder, options, line => Console.Error.WriteLine(line), cancellation);
            return CompareCommand.Tell(folder, parsed.GetValue(json), () => Print(findings), "report.html", "sheet.png");
        }));
        return command;
    }

    private static void Print(CatFindings findings)
    {
        var table = new Table().Border(TableBorder.Minimal).AddColumns([.. CatComparisonFiles.Headers]);
        foreach (var row in findings.Rows)
            table.AddRow([.. CatComparisonFiles.Cells(row)]);
        AnsiConsole.Write(table);
    }
}
