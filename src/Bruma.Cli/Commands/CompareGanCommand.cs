using System.CommandLine;
using System.Globalization;
using Bruma.Recipes;
using Spectre.Console;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare gan</c>: several objectives on the same data for the same time.</summary>
internal static class CompareGanCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "fashion-mnist, or a folder of images.", DefaultValueFactory = _ => "fashion-mnist" };
        var output = new Option<string>("--output", "-o") { Description = "Folder for table.json, sheet.png, report.html and the runs; must be new or empty.", Required = true };
        var objectives = new Option<string>("--objectives") { Description = $"Comma-separated: {string.Join(", ", GanRecipe.Names)}; diffusion is the class-conditional diffusion model.", DefaultValueFactory = _ => "dcgan,wgan-gp,hinge,r3gan,diffusion" };
        var minutes = new Option<double>("--minutes") { Description = "Minutes of training for each.", DefaultValueFactory = _ => 10 };
        var architecture = new Option<string?>("--architecture") { Description = "dcgan or resnet for all (default: each objective's own)." };
        var resolution = new Option<int>("--resolution") { Description = "Height and width in pixels; 0 takes the data's own, at most 64." };
        var batchSize = new Option<int>("--batch-size") { Description = "Images per update; 0 leaves it to each." };
        var samples = new Option<int>("--samples") { Description = "Pictures to measure of each.", DefaultValueFactory = _ => 2000 };
        var seed = new Option<long>("--seed") { Description = "Seed of everything random." };
        var threads = new Option<int>("--threads") { Description = "Threads (default: all processors)." };
        var json = new Option<bool>("--json") { Description = "Print the table as JSON." };
        var command = new Command("gan", "Train several GANs, and a diffusion model, for the same time and compare them. Example: bruma compare gan --objectives dcgan,hinge --minutes 10 --output runs/compare")
        {
            data, output, objectives, minutes, architecture, resolution, batchSize, samples, seed, threads, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            Native.UseThreads(parsed.GetValue(threads));
            Native.KeepMemory();
            var options = TrainingSession.Checked(() => new GanComparisonOptions(parsed.GetValue(data)!, parsed.GetValue(objectives)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
                parsed.GetValue(minutes), parsed.GetValue(resolution), parsed.GetValue(batchSize), parsed.GetValue(seed), parsed.GetValue(samples), parsed.GetValue(architecture), parsed.GetValue(threads)).Checked());
            var folder = parsed.GetValue(output)!;
            var rows = GanComparison.Run(folder, options, line => Console.Error.WriteLine(line), cancellation);
            return CompareCommand.Tell(folder, parsed.GetValue(json), () => Print(rows), "report.html", "sheet.png");
        }));
        return command;
    }

    private static void Print(IReadOnlyList<ComparisonRow> rows)
    {
        var table = new Table().Border(TableBorder.Minimal).AddColumn("");
        foreach (var header in SampleMeasures.Headers.Skip(1).Append("images seen").Append("images/s"))
            table.AddColumn(new TableColumn(header).RightAligned());
        foreach (var row in rows.OrderBy(row => row.Measures.Frechet))
            table.AddRow([row.Name, .. row.Measures.Cells.Skip(1), row.ImagesSeen.ToString(CultureInfo.InvariantCulture), row.ImagesPerSecond.ToString("0", CultureInfo.InvariantCulture)]);
        AnsiConsole.Write(table);
        Console.WriteLine(rows[0].Measures.Explanation);
    }
}
