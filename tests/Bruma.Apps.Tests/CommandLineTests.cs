using System.Diagnostics;

namespace Bruma.Apps.Tests;

/// <summary>The program as its user runs it: a process, its output and its exit code.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public void An_unknown_command_is_wrong_usage()
    {
        var (code, _, error) = Bruma("paint");
        Assert.Equal(2, code);
        Assert.Contains("paint", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_model_is_one_sentence_and_exit_code_1()
    {
        var path = Path.Combine(Path.GetTempPath(), $"bruma-{Guid.NewGuid():N}.safetensors");
        File.WriteAllText(path, "<html>not found</html>");
        var (code, output, error) = Bruma("models", "inspect", path);
        File.Delete(path);
        Assert.Equal((1, ""), (code, output));
        Assert.Equal($"bruma: {path}: is a web page or XML instead of a file of weights (an error or log-in page, perhaps); download the model again.", error.TrimEnd());
    }

    private static (int Code, string Output, string Error) Bruma(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "bruma.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return (process.ExitCode, output.Result, error.Result);
    }
}
