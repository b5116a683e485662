using System.Diagnostics;

namespace Bruma.Apps.Tests.Support;

/// <summary>What a run of the program left behind.</summary>
public sealed record ProgramResult(int Code, string Output, string Error);

/// <summary>The program as its user runs it: a process, its output and its exit code.</summary>
public static class BrumaProgram
{
    public static ProgramResult Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return new ProgramResult(process.ExitCode, output.Result, error.Result);
    }

    public static Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "bruma.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
}
