using System.CommandLine;
using System.Text.Json;
using Bruma.Data;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma data</c>: looks at a set of pictures, fetches or builds one.</summary>
internal static class DataCommand
{
    private const int NamesShown = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    public static Command Create() => new("data", "Look at a set of pictures before training on it, download or build one. Example: bruma data inspect photos/") { Inspect(), Download(), DataBuildCommand.Create() };

    private static Command Inspect()
    {
        var folder = new Argument<string>("data") { Description = $"A folder of pictures, or {FashionMnist.SourceName}." };
        var json = new Option<bool>("--json") { Description = "Print the report as one JSON object." };
        var command = new Command("inspect", "Layout, sizes, classes, captions and broken files, by decoding every picture. Example: bruma data inspect photos/") { folder, json };
        command.SetAction(parsed =>
        {
            var source = ImageSource.Open(parsed.GetValue(folder)!);
            var report = ImageReport.Of(source);
            if (parsed.GetValue(json))
                WriteJson(source, report);
            else
                WriteText(source, report);
            return report.Usable > 0 ? 0 : 1;
        });
        return command;
    }

    private static Command Download()
    {
        var name = new Argument<string>("name") { Description = $"{FashionMnist.SourceName} (30 MB)." };
        var from = new Option<Uri?>("--from") { Description = "Address of a folder with the files, in place of the authors'." };
        var command = new Command("download", $"Fetch a data set into BRUMA_DATA or the user's cache, with checksums. Example: bruma data download {FashionMnist.SourceName}") { name, from };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(name) != FashionMnist.SourceName)
                throw new UsageException($"{parsed.GetValue(name)}: no such data set; the one that can be downloaded is {FashionMnist.SourceName}.");
            using var client = new HttpClient { Timeout = Patience };
            Console.WriteLine(await FashionMnist.Download(client, parsed.GetValue(from), cancellationToken: cancellation));
        });
        return command;
    }

    private static void WriteText(ImageSource source, ImageReport report)
    {
        Console.WriteLine($"{source.Name}: {source.Layout}");
        Console.WriteLine($"{report.Usable} usable pictures{(report.Captioned > 0 ? $", {report.Captioned} with captions" : "")}, {report.Broken.Count} broken");
        foreach (var reason in report.Broken)
            Console.WriteLine($"  broken: {reason}");
        if (source.Examples.SelectMany(example => example.Columns?.Keys ?? []).Distinct().ToList() is { Count: > 0 } columns)
            Console.WriteLine($"columns: {string.Join(", ", columns)}");
        if (report.Sizes.Count > 0)
            Console.WriteLine($"sizes: {Spread(report.Sizes.Select(size => size.Width))} wide, {Spread(report.Sizes.Select(size => size.Height))} high (smallest, median, largest)");
        foreach (var (name, count) in source.ClassNames.Zip(report.PerClass).OrderByDescending(pair => pair.Second).Take(NamesShown))
            Console.WriteLine($"  class {name}: {count}");
        if (source.ClassNames.Count > NamesShown)
            Console.WriteLine($"  and {source.ClassNames.Count - NamesShown} more classes");
    }

    private static void WriteJson(ImageSource source, ImageReport report) => Console.WriteLine(JsonSerializer.Serialize(new
    {
        data = source.Name,
        layout = source.Layout,
        usable = report.Usable,
        captioned = report.Captioned,
        broken = report.Broken,
        classes = source.ClassNames.Zip(report.PerClass).ToDictionary(pair => pair.First, pair => pair.Second),
        smallest = report.Sizes.Count > 0 ? report.Sizes.Min(size => Math.Min(size.Width, size.Height)) : 0,
        sha256 = source.Sha256(),
    }));

    private static string Spread(IEnumerable<int> values)
    {
        var sorted = values.Order().ToList();
        return $"{sorted[0]}, {sorted[sorted.Count / 2]}, {sorted[^1]}";
    }
}
