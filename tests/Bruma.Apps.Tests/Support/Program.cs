using System.Diagnostics;

namespace Bruma.Apps.Tests.Support;

/// <summary>What a run of the program left behind.</summary>
public sealed record ProgramResult(int Code, string Output, string Error);

/// <summary>The program as its user runs it: a process, its output and its exit code.</summary>
public static class BrumaProgram
{
    public static ProgramResult Run(params string[] arguments) => Finish(Start(arguments));

    /// <summary>In another working folder, with variables of its own.</summary>
    public static ProgramResult RunIn(string folder, IReadOnlyDictionary<string, string> variables, params string[] arguments)
    {
        var start = StartOf(arguments);
        start.WorkingDirectory = folder;
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        return Finish(Process.Start(start)!);
    }

    public static Process Start(params string[] arguments) => Process.Start(StartOf(arguments))!;

    private static ProcessStartInfo StartOf(string[] arguments) =>
        new("dotnet", [Path.Combine(AppContext.BaseDirectory, "bruma.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };

    private static ProgramResult Finish(Process process)
    {
        using var own = process;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return new ProgramResult(process.ExitCode, output.Result, error.Result);
    }
}
