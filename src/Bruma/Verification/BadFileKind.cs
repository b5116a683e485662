using System.Diagnostics;
using Bruma.Hub;

namespace Bruma.Verification;

/// <summary>A broken or hostile file: one clear sentence (or the tensors, where that is allowed), in bounded time and memory, and nothing created.</summary>
internal static class BadFileKind
{
    private const string Index = ".index.json";

    public static void Run(GoldenCase golden, CaseReport report)
    {
        var file = golden.PathOf(golden.Spec.GetProperty("file").GetString()!);
        using var process = Process.GetCurrentProcess();
        var (watch, memory, peak) = (Stopwatch.StartNew(), process.WorkingSet64, process.PeakWorkingSet64);

        var error = Load(file);
        if (error is not null)
        {
            report.CompareExact("error names the file", error.Contains(Path.GetFileName(file), StringComparison.Ordinal), true);
            report.CompareExact("error is one line that ends as a sentence", !error.Contains('\n', StringComparison.Ordinal) && error.EndsWith('.'), true);
        }
        else
            report.CompareExact("outcome", "tensors", golden.Spec.GetProperty("expected").GetString() == "error_or_tensors" ? "tensors" : "error");

        process.Refresh();
        var extra = process.PeakWorkingSet64 > peak ? (process.PeakWorkingSet64 - memory) >> 20 : 0;
        if (watch.Elapsed.TotalSeconds > golden.Spec.GetProperty("max_seconds").GetDouble())
            report.Fail($"took {watch.Elapsed.TotalSeconds:0.0} s");
        if (extra > golden.Spec.GetProperty("max_extra_megabytes").GetDouble())
            report.Fail($"took {extra} MB of memory");
        foreach (var created in Created(golden.Folder, golden.Spec.GetProperty("must_not_create").GetString()!))
            report.Fail($"created {created}");
    }

    /// <returns>The error's sentence; null when all tensors could be read.</returns>
    private static string? Load(string file)
    {
        try
        {
            using var source = file.EndsWith(Index, StringComparison.Ordinal) ? ModelFolder.Open(Path.GetDirectoryName(file)!) : CheckpointFile.Open(file);
            foreach (var name in source.Tensors.Keys)
                source.Read(name).Dispose();
            return null;
        }
        catch (BrumaException e)
        {
            return e.Message;
        }
    }

    private static IEnumerable<string> Created(string folder, string name)
    {
        for (var above = new DirectoryInfo(Path.GetFullPath(folder)); above is not null; above = above.Parent)
            if (File.Exists(Path.Combine(above.FullName, name)))
                yield return Path.Combine(above.FullName, name);
        if (File.Exists(name))
            yield return Path.GetFullPath(name);
    }
}
