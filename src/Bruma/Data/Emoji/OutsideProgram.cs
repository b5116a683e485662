using System.ComponentModel;
using System.Diagnostics;

namespace Bruma.Data.Emoji;

/// <summary>Runs a program that the data set needs and Bruma does not bring.</summary>
internal static class OutsideProgram
{
    /// <param name="file">Name on the path.</param>
    /// <param name="input">Text for its input; null for none.</param>
    /// <param name="howToInstall">What to do when it is not there.</param>
    /// <returns>Exit code, output, and what it said on its error stream.</returns>
    /// <exception cref="BrumaException">The program is not installed, or takes longer than the patience.</exception>
    public static async Task<(int Code, byte[] Output, string Error)> Run(string file, IEnumerable<string> arguments, string? input, string howToInstall, TimeSpan patience, string? folder = null)
    {
        using var process = Start(file, arguments, howToInstall, folder);
        using var output = new MemoryStream();
        using var limit = new CancellationTokenSource(patience);
        try
        {
            var reading = process.StandardOutput.BaseStream.CopyToAsync(output, limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await Feed(process, input);
            await Task.WhenAll(reading, error, process.WaitForExitAsync(limit.Token));
            return (process.ExitCode, output.ToArray(), error.Result.Trim());
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new BrumaException($"{file}: did not end within {patience.TotalMinutes:0} minutes and was stopped; try again.");
        }
    }

    private static async Task Feed(Process process, string? input)
    {
        try
        {
            if (input is not null)
                await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // it ended before it had read everything; its exit code says why
        }
    }

    private static Process Start(string file, IEnumerable<string> arguments, string howToInstall, string? folder)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(file, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder ?? "",
            })!;
        }
        catch (Win32Exception e)
        {
            throw new BrumaException($"{file}: not installed ({e.Message.TrimEnd('.')}); {howToInstall}.", e);
        }
    }
}
