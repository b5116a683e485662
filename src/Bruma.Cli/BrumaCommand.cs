using System.CommandLine;
using System.Runtime.InteropServices;
using Bruma.Cli.Commands;

namespace Bruma.Cli;

/// <summary>The root command: exit codes are 0 done, 1 the work failed, 2 wrong usage, 130 interrupted.</summary>
public static class BrumaCommand
{
    internal const int Interrupted = 130;

    /// <summary>How long Ctrl-C waits for the step under way and its checkpoint before the process ends anyway.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromMinutes(30);

    public static async Task<int> Run(string[] args)
    {
        var root = new RootCommand("Generative models for .NET: train, generate, measure and verify in one process.")
        {
            GenerateCommand.Create(),
            TrainCommand.Create(),
            ResumeCommand.Create(),
            PlanCommand.Create(),
            DenoiseCommand.Create(),
            ExploreCommand.Create(),
            InfoCommand.Create(),
            ReplayCommand.Create(),
            LatentCommand.Create(),
            CompareCommand.Create(),
            EmbedCommand.Create(),
            CompleteCommand.Create(),
            AttentionCommand.Create(),
            FinetuneCommand.Create(),
            PredictCommand.Create(),
            ModelsCommand.Create(),
            DataCommand.Create(),
            EvaluateCommand.Create(),
            ReportCommand.Create(),
            VerifyCommand.Create(),
            DoctorCommand.Create(),
            BenchCommand.Create(),
        };
        try
        {
            var parsed = root.Parse(TrainEmojiCommand.Rewrite(RecipeFlags.Rewrite(FlagSpelling.Rewrite(args))));
            if (parsed.Errors.Count > 0)
                throw new UsageException(string.Join(" ", parsed.Errors.Select(error => error.Message)));
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = LongestStep });
        }
        catch (BrumaException e)
        {
            await Console.Error.WriteLineAsync($"bruma: {e.Message}");
            return 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"bruma: {e.Message.TrimEnd('.')}; check the path, its rights and the free space.");
            return 1;
        }
        catch (OperationCanceledException e)
        {
            await Console.Error.WriteLineAsync($"bruma: {(e is KeptPictures ? e.Message : "interrupted.")}");
            return Interrupted;
        }
        catch (ExternalException e) when (e.Message.Contains("allocate memory", StringComparison.Ordinal))
        {
            await Console.Error.WriteLineAsync($"bruma: not enough memory ({e.Message.Split('\n')[0]}); choose a smaller --batch-size, --resolution or --count.");
            return 1;
        }
        catch (Exception e) when (e is not UsageException)
        {
            await Console.Error.WriteLineAsync($"bruma: internal error: this is a defect of Bruma; please report it with what follows.\n{e}");
            return 1;
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"bruma: {e.Message} See bruma --help.");
            return 2;
        }
    }
}
