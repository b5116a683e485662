using System.Text.Json;

namespace Bruma.Cli.Generation;

/// <summary>What was written, for people or as JSON.</summary>
internal static class DrawingReport
{
    public static void Print(GenerateArguments arguments, IReadOnlyList<string> files, double seconds, double rate = 0, long? label = null)
    {
        var count = arguments.Count;
        if (arguments.Json)
            Console.WriteLine(JsonSerializer.Serialize(new { files, seed = arguments.Seed, count, @class = label, seconds = Math.Round(seconds, 3), steps_per_second = rate > 0 ? Math.Round(rate, 3) : (double?)null, precision = arguments.Precision }));
        else
            Console.WriteLine(FormattableString.Invariant($"{string.Join(", ", files.Take(4))}{(files.Count > 4 ? $" and {files.Count - 4} more" : "")}: {count} {(count == 1 ? "picture" : "pictures")} in {seconds:0.00} s{(rate > 0 ? $" ({rate:0.00} steps/s)" : "")}, seed {arguments.Seed}"));
    }
}
