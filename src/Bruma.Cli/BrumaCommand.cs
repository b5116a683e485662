using System.CommandLine;
using Bruma.Cli.Commands;

namespace Bruma.Cli;

/// <summary>The root command: exit codes are 0 done, 1 the work failed, 2 wrong usage, 130 interrupted.</summary>
public static class BrumaCommand
{
    public static async Task<int> Run(string[] args)
    {
        var root = new RootCommand("Generative models for .NET: train, generate, measure and verify in one process.")
        {
            ModelsCommand.Create(),
            VerifyCommand.Create(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync($"bruma: {error.Message}");
            return 2;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (BrumaException e)
        {
            await Console.Error.WriteLineAsync($"bruma: {e.Message}");
            return 1;
        }
    }
}
