using System.CommandLine;
using Bruma.Metrics;
using Bruma.Recipes;
using Bruma.Recipes.Adaptation;
using Spectre.Console;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma report</c>: says how good an adapted model is.</summary>
internal static class ReportCommand
{
    private static readonly AdaptationReportOptions Defaults = new("");

    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "Folder of a finished run of bruma train text-to-image, lora, dreambooth, textual-inversion or controlnet; or, with --data and --output, a model that builds on another, such as cats." };
        var data = new Option<string?>("--data") { Description = $"Pictures that a model without its run was adapted to: a folder, or one of {string.Join(", ", PictureSets.Names)}." };
        var output = new Option<string?>("--output", "-o") { Description = "Folder of the report (default: the run's)." };
        var count = new Option<int>("--count") { Description = "Samples to draw, uncurated.", DefaultValueFactory = _ => Defaults.Count };
        var seed = new Option<long>("--seed") { Description = "Seed of the first sample; the others follow.", DefaultValueFactory = _ => Defaults.Seed };
        var features = new Option<string>("--features") { Description = "Network that gives the features: see bruma evaluate.", DefaultValueFactory = _ => Defaults.Features };
        var threads = new Option<int>("--threads") { Description = "Threads (default: all processors)." };
        var json = new Option<bool>("--json") { Description = "Print metrics.json instead of the table." };
        var command = new Command("report", "Say how good an adapted model is: samples as they come, figures beside those of real photos, of the base and of the autoencoder, copies, a verdict in words. Example: bruma report runs/style")
        {
            run, data, output, count, seed, features, threads, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            Native.UseThreads(parsed.GetValue(threads));
            Native.KeepMemory();
            var options = TrainingSession.Checked(() => new AdaptationReportOptions(parsed.GetValue(run)!, parsed.GetValue(count), parsed.GetValue(seed), parsed.GetValue(features)!, FeatureCache.DefaultRoot).Checked());
            options = options with { Data = parsed.GetValue(data) is { } pictures ? PictureSets.Folder(pictures) : null, Output = parsed.GetValue(output) };
            var findings = KeptPictures.While(() => AdaptationReport.Write(options, EvaluateCommand.Progress(), cancellation));
            if (parsed.GetValue(json))
                Console.WriteLine(File.ReadAllText(Path.Combine(options.Folder, "report", "metrics.json")).TrimEnd());
            else
                Print(findings, options.Folder);
            return 0;
        }));
        return command;
    }

    private static void Print(AdaptationFindings findings, string run)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("pictures", "n", "FD", "KID", "precision", "recall", "coverage", "copies");
        foreach (var set in findings.Sets)
            table.AddRow([Markup.Escape(set.Label), $"{set.Count}", .. new[] { SetComparison.Frechet, SetComparison.KidMean, "precision", "recall", "coverage", "copies" }.Select(key => set[key] is { } value ? EvaluationNumbers.Text(value) : "")]);
        AnsiConsole.Write(table);
        if (findings.Outlines is { } outlines)
            Console.WriteLine(FormattableString.Invariant($"outlines: F1 {outlines.Samples.Asked:0.000} with the asked one, {outlines.Samples.Others:0.000} with others; the base {outlines.Base.Asked:0.000}"));
        foreach (var line in findings.Verdict)
            Console.WriteLine(line);
        foreach (var note in findings.Notes)
            Console.WriteLine($"note: {note}");
        Console.WriteLine($"report: {Path.Combine(run, "report.html")}");
    }
}
