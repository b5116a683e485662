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
            GenerateCommand.Create(),
            TrainCommand.Create(),
            ResumeCommand.Create(),
            DenoiseCommand.Create(),
            DoctorCommand.Create(),
        };
        try
        {
            var parsed = root.Parse(FlagSpelling.Rewrite(args));
            if (parsed.Errors.Count > 0)
                throw new UsageException(string.Join(" ", parsed.Errors.Select(error => error.Message)));
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (BrumaException e)
        {
            await Console.Error.WriteLineAsync($"bruma: {e.Message}");
            return 1;
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"bruma: {e.Message} See bruma --help.");
            return 2;
        }
    }
}
