using System.Diagnostics;
using System.IO.Enumeration;
using static TorchSharp.torch;

namespace Bruma.Verification;

public enum CaseOutcome
{
    Pass,
    Fail,
    Skip,
}

/// <summary>What became of one case. <paramref name="Detail"/> is empty for a pass, else why it failed or was skipped.</summary>
public sealed record CaseResult(string Id, string Kind, CaseOutcome Outcome, double MaxAbsoluteError, double MaxRelativeError, TimeSpan Time, IReadOnlyList<string> Detail);

/// <summary>Finds reference cases below a root and runs them against this build.</summary>
public sealed class Verifier(string root, IReadOnlyCollection<string>? filters = null, bool full = false)
{
    private const string FullSize = "fullsize/";

    /// <summary>The folders of the cases whose id matches any filter (<c>*</c> also matches <c>/</c>), in order of their ids.</summary>
    /// <exception cref="BrumaException">The root is missing or holds no case.</exception>
    public IReadOnlyList<(string Id, string Folder)> Find()
    {
        if (!Directory.Exists(root))
            throw new BrumaException($"{root}: no such folder; give the folder that holds the reference cases with --cases.");
        var cases = Directory.EnumerateFiles(root, "case.json", SearchOption.AllDirectories)
            .Select(file => Path.GetDirectoryName(file)!)
            .Select(folder => (Id: Path.GetRelativePath(root, folder).Replace('\\', '/'), Folder: folder))
            .OrderBy(found => found.Id, StringComparer.Ordinal)
            .ToList();
        if (cases.Count == 0)
            throw new BrumaException($"{root}: no case.json in this folder or below it.");
        return [.. cases.Where(found => (IsFull || !found.Id.StartsWith(FullSize, StringComparison.Ordinal)) && Matches(found.Id))];
    }

    /// <summary>Runs the cases in turn.</summary>
    public IEnumerable<CaseResult> Run() => Find().Select(found => Run(found.Id, found.Folder));

    /// <summary>Cases of gigabytes run when they are asked for.</summary>
    private bool IsFull => full || filters?.Any(filter => filter.StartsWith(FullSize, StringComparison.Ordinal)) == true;

    private bool Matches(string id) => filters is not { Count: > 0 } || filters.Any(filter => FileSystemName.MatchesSimpleExpression(filter, id, ignoreCase: false));

    private CaseResult Run(string id, string folder)
    {
        var watch = Stopwatch.StartNew();
        var kind = "";
        try
        {
            using var golden = new GoldenCase(folder, root);
            kind = golden.Kind;
            if (!CaseKinds.All.TryGetValue(kind, out var runner))
                return new CaseResult(id, kind, CaseOutcome.Skip, 0, 0, watch.Elapsed, [$"unknown kind {kind}"]);
            using var scope = NewDisposeScope();
            var report = new CaseReport(golden);
            runner(golden, report);
            return new CaseResult(id, kind, report.Passed ? CaseOutcome.Pass : CaseOutcome.Fail, report.MaxAbsoluteError, report.MaxRelativeError, watch.Elapsed, report.Passed ? [] : report.Failures);
        }
        catch (Exception e) when (e is UnknownCaseException or CaseSkippedException)
        {
            return new CaseResult(id, kind, CaseOutcome.Skip, 0, 0, watch.Elapsed, [e.Message]);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new CaseResult(id, kind, CaseOutcome.Fail, double.NaN, double.NaN, watch.Elapsed, [$"{e.GetType().Name}: {e.Message.Split('\n')[0]}"]);
        }
    }
}
