using System.CommandLine;
using System.Diagnostics;
using Bruma.Data.Emoji;
using Bruma.Hub;
using Bruma.Metrics;
using Bruma.Recipes;
using Bruma.Recipes.Emoji;
using Spectre.Console;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma evaluate</c>: measures generated pictures against real ones.</summary>
internal static class EvaluateCommand
{
    private const int EmojiPrompts = 500;

    public static Command Create()
    {
        var reference = new Option<string>("--reference") { Description = "Real pictures: a folder, fashion-mnist or fashion-mnist-test; emoji, or the folder of that data set, judges a text-to-image model of emoji on what was learned and held out.", Required = true };
        var samples = new Option<string>("--samples") { Description = "Pictures to measure: a folder, a model's folder, a finished run, or an installed model (bruma models list).", Required = true };
        var output = new Option<string?>("--output", "-o") { Description = "Folder of the result: metrics.json, report.html and its sheets (default: evaluation)." };
        var features = new Option<string>("--features") { Description = "Network that gives the features: efficientnet-lite0, fmnist, emoji, random[:SEED], inception, a CLIP folder, or a file of FID's Inception weights.", DefaultValueFactory = _ => FeatureNetworks.Default };
        var metrics = new Option<string?>("--metrics") { Description = $"Comma-separated, of {string.Join(", ", EvaluationOptions.Known)} (default: all that the network allows, without pairs)." };
        var count = new Option<int>("--count") { Description = $"Samples to draw from a model (default: {EvaluationOptions.DrawnByDefault}, or one a prompt) or to take of a folder (default: all)." };
        var seed = new Option<long>("--seed") { Description = "Seed of what is drawn." };
        var prompts = new Option<string?>("--prompts") { Description = "File with a text a line: for models that take texts, and for the CLIP score." };
        var steps = new Option<int?>("--steps") { Description = "Denoising steps of what is drawn (default: the model's own)." };
        var guidance = new Option<double?>("--guidance-scale") { Description = "Classifier-free guidance of what is drawn; 1 is none (default: the model's own)." };
        var scheduler = new Option<string?>("--scheduler") { Description = "Scheduler of what is drawn (default: the model's own)." };
        var lpips = new Option<string?>("--lpips") { Description = "Torchvision's file of AlexNet, VGG-16 or SqueezeNet weights, for --metrics lpips." };
        var clip = new Option<string?>("--clip") { Description = "Folder of a CLIP model, for the CLIP score." };
        var neighbours = new Option<int>("--neighbours") { Description = "k of precision, recall, density and coverage.", DefaultValueFactory = _ => 5 };
        var looked = new Option<int>("--neighbour-samples") { Description = "Pictures of each set, drawn where there are more, for precision, recall, density and coverage, whose cost grows with the square; 0 for all.", DefaultValueFactory = _ => 10_000 };
        var subsets = new Option<int>("--kid-subsets") { Description = "Subsets of KID.", DefaultValueFactory = _ => 100 };
        var subsetSize = new Option<int>("--kid-subset-size") { Description = "Pictures of a subset; nine tenths of the smaller set where that is smaller.", DefaultValueFactory = _ => 1000 };
        var splits = new Option<int>("--isc-splits") { Description = "Parts of the Inception score.", DefaultValueFactory = _ => 10 };
        var resize = new Option<int>("--resize-and-crop") { Description = "First bring the central square of every picture to this size; 0 leaves them as they are." };
        var cache = new Option<string?>("--cache") { Description = "Folder of cached features (default: BRUMA_CACHE, else the user's cache)." };
        var noCache = new Option<bool>("--no-cache") { Description = "Compute all features anew and store none." };
        var threads = new Option<int>("--threads") { Description = "Threads (default: all processors)." };
        var json = new Option<bool>("--json") { Description = "Print metrics.json instead of the table." };
        var flags = new[] { ("--fid", "fd"), ("--kid", "kid"), ("--isc", "is"), ("--prc", "prc") }.Select(pair => (Option: new Option<bool>(pair.Item1) { Description = $"torch-fidelity's way to say --metrics {pair.Item2}.", Hidden = true }, Metric: pair.Item2)).ToArray();
        var deep = new Option<bool>("--samples-find-deep") { Description = "Folders are searched to any depth, with or without this.", Hidden = true };
        var command = new Command("evaluate", "Measure generated pictures against real ones: distances, precision, coverage, copies, with intervals and what real pictures give. Example: bruma evaluate --reference fashion-mnist-test --samples fashion --features fmnist --count 2000 --output runs/measures")
        {
            reference, samples, output, features, metrics, count, seed, prompts, steps, guidance, scheduler, lpips, clip, neighbours, looked, subsets, subsetSize, splits, resize, cache, noCache, threads, json, deep,
        };
        foreach (var (option, _) in flags)
            command.Add(option);
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            Native.UseThreads(parsed.GetValue(threads));
            Native.KeepMemory();
            var drawing = TrainingSession.Checked(() => new DrawSettings(parsed.GetValue(steps), parsed.GetValue(guidance), parsed.GetValue(scheduler)).Checked());
            if (EmojiData(parsed.GetValue(reference)!) is { } emoji)
                return JudgeEmoji(new EmojiEvaluationOptions(emoji, ModelPath.Find(parsed.GetValue(samples)!), FeatureNetworks.Canonical(parsed.GetValue(features)!) is var scorer and not (FeatureNetworks.Default or EmojiScorerFiles.ModelType) ? scorer : InstalledScorer(),
                    parsed.GetValue(output) ?? "evaluation", parsed.GetValue(count) is > 0 and var prompted ? prompted : EmojiPrompts, parsed.GetValue(seed), drawing), parsed.GetValue(json), cancellation);
            var chosen = flags.Where(flag => parsed.GetValue(flag.Option)).Select(flag => flag.Metric).Concat((parsed.GetValue(metrics) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Select(Spelled).Distinct().ToList();
            var options = TrainingSession.Checked(() => new EvaluationOptions(
                parsed.GetValue(reference)!, parsed.GetValue(samples)!, parsed.GetValue(output) ?? "evaluation", parsed.GetValue(features)!, chosen, parsed.GetValue(count), parsed.GetValue(seed), parsed.GetValue(prompts), parsed.GetValue(lpips), parsed.GetValue(clip),
                parsed.GetValue(subsets), parsed.GetValue(subsetSize), parsed.GetValue(splits), parsed.GetValue(neighbours), parsed.GetValue(looked), parsed.GetValue(resize), parsed.GetValue(noCache) ? null : parsed.GetValue(cache) ?? FeatureCache.DefaultRoot, drawing).Checked());
            var result = KeptPictures.While(() => Evaluation.Run(options, Progress(), cancellation));
            if (parsed.GetValue(json))
                Console.WriteLine(File.ReadAllText(Path.Combine(options.Output, "metrics.json")).TrimEnd());
            else
                Print(result, options.Output);
            return 0;
        }));
        return command;
    }

    private static string? EmojiData(string reference) =>
        reference == EmojiOptions.RecipeName ? EmojiDataset.DefaultFolder(reference) : EmojiDataset.IsIn(reference) ? reference : null;

    internal static string InstalledScorer() => InstalledModels.Find(EmojiScorerFiles.ModelType)
        ?? throw new UsageException("no scorer of emoji comes with this program: give its folder (RUN/scorer/model of the emoji recipe) as --features.");

    private static int JudgeEmoji(EmojiEvaluationOptions options, bool json, CancellationToken cancellation)
    {
        var rows = KeptPictures.While(() => EmojiEvaluation.Run(options, Progress(), cancellation));
        if (json)
        {
            Console.WriteLine(File.ReadAllText(Path.Combine(options.Output, "metrics.json")).TrimEnd());
            return 0;
        }
        foreach (var row in rows)
            Console.WriteLine($"{row[0]} ({row[1]}): concept {row[2]} (real {row[3]}), top-5 {row[4]} ({row[5]}), style {row[6]} ({row[7]}), R-precision {row[8]} ({row[9]}), FD-emoji {row[10]} ({row[11]}), copies {row[14]} ({row[15]})");
        Console.WriteLine($"report: {Path.Combine(options.Output, "report.html")}");
        return 0;
    }

    private static string Spelled(string metric) => metric.ToLowerInvariant() switch
    {
        "fid" => "fd",
        "isc" => "is",
        "precision" or "recall" => "prc",
        var name => name,
    };

    /// <summary>A line on the error stream, every two seconds, and at the end of every stage.</summary>
    internal static Action<EvaluationProgress> Progress()
    {
        var (watch, last) = (Stopwatch.StartNew(), ("", 0.0, 0.0));
        return progress =>
        {
            var now = watch.Elapsed.TotalSeconds;
            if (progress.Stage != last.Item1)
                last = (progress.Stage, now, now);
            else if (now - last.Item3 < 2 && progress.Done < progress.Of)
                return;
            var rate = now - last.Item2 > 1 && progress.Of > 10 ? Speed(progress.Done / (now - last.Item2)) : "";
            Console.Error.WriteLine($"{progress.Stage}: {progress.Done} of {progress.Of}{rate}");
            last = (last.Item1, last.Item2, now);
        };
    }

    private static string Speed(double rate) => rate < 10 ? FormattableString.Invariant($", {rate:0.0} images/s") : FormattableString.Invariant($", {rate:0} images/s");

    private static void Print(EvaluationResult result, string output)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("measure", "value", "95 % interval", "real against real");
        foreach (var row in result.Rows.Where(row => row.Better.Length > 0))
            table.AddRow(Markup.Escape(row.Label), EvaluationNumbers.Text(row.Value.Value), EvaluationNumbers.Interval(row.Value), row.Floor is { } floor ? EvaluationNumbers.Text(floor) : "");
        AnsiConsole.Write(table);
        Console.WriteLine($"{result.Count} samples, {result.ReferenceCount} reference pictures, features of {result.Network}; real against real: {result.FloorCount} pictures");
        foreach (var warning in result.Warnings)
            Console.WriteLine($"note: {warning}");
        foreach (var reason in result.Skipped)
            Console.WriteLine($"left out: {reason}");
        Console.WriteLine($"report: {Path.Combine(output, "report.html")}");
    }
}
