using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bruma.Verification;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma verify</c>: runs reference cases against this build.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var cases = new Option<string?>("--cases") { Description = "Folder with reference cases; without it the set of the repository (tests/goldens)." };
        var filter = new Option<string[]>("--filter") { Description = "Run only cases whose id matches (* matches any text, also /); may be given several times.", AllowMultipleArgumentsPerToken = true };
        var full = new Option<bool>("--full") { Description = "Also run the full-size cases (gigabytes of memory, minutes)." };
        var taps = new Option<bool>("--taps") { Description = "For a failed case, print the first intermediate tensor that deviates and the rest after it." };
        var json = new Option<bool>("--json") { Description = "One JSON object per case instead of a line for people." };
        var list = new Option<bool>("--list") { Description = "List the cases without running them." };
        var command = new Command("verify", "Run reference cases against this build. Example: bruma verify --filter \"schedulers/*\"") { cases, filter, full, taps, json, list };
        command.SetAction(parsed => Run(new Verifier(parsed.GetValue(cases) ?? DefaultCases(), parsed.GetValue(filter), parsed.GetValue(full)), parsed.GetValue(list), parsed.GetValue(json), parsed.GetValue(taps)));
        return command;
    }

    private static int Run(Verifier verifier, bool list, bool json, bool taps)
    {
        if (list)
        {
            foreach (var (id, _) in verifier.Find())
                Console.WriteLine(id);
            return 0;
        }

        var counts = new int[3];
        foreach (var result in verifier.Run())
        {
            counts[(int)result.Outcome]++;
            Console.WriteLine(json ? AsJson(result) : AsLine(result));
            if (!json && result.Outcome == CaseOutcome.Fail)
                foreach (var detail in result.Detail.Take(taps ? int.MaxValue : 1))
                    Console.WriteLine($"        {detail}");
        }
        Console.WriteLine($"{counts[0]} passed, {counts[1]} failed, {counts[2]} skipped");
        return counts[(int)CaseOutcome.Fail] == 0 ? 0 : 1;
    }

    private static string AsLine(CaseResult result) => result.Outcome switch
    {
        CaseOutcome.Skip => $"skip  {result.Id}  ({string.Join("; ", result.Detail)})",
        var outcome => string.Create(CultureInfo.InvariantCulture,
            $"{(outcome == CaseOutcome.Pass ? "pass" : "FAIL")}  {result.Id}  abs {result.MaxAbsoluteError:0.0e+00}  rel {result.MaxRelativeError:0.0e+00}  {result.Time.TotalSeconds:0.00} s"),
    };

    private static string AsJson(CaseResult result) => JsonSerializer.Serialize(new
    {
        id = result.Id,
        kind = result.Kind,
        outcome = result.Outcome.ToString().ToLowerInvariant(),
        max_abs = Finite(result.MaxAbsoluteError),
        max_rel = Finite(result.MaxRelativeError),
        seconds = Math.Round(result.Time.TotalSeconds, 3),
        detail = result.Detail,
    });

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    /// <summary>The embedded set: looked for upwards from the working directory, then from the program.</summary>
    private static string DefaultCases()
    {
        foreach (var start in new[] { Environment.CurrentDirectory, AppContext.BaseDirectory })
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
                if (Directory.Exists(Path.Combine(folder.FullName, "tests", "goldens")))
                    return Path.Combine(folder.FullName, "tests", "goldens");
        throw new BrumaException("no tests/goldens in this folder or above it: run bruma verify inside a clone of the repository or name the folder of cases with --cases.");
    }
}
