using System.Runtime.InteropServices;

namespace Bruma.Cli;

/// <summary>Work that leaves nothing half done and so may stop at once: Ctrl-C does not wait for the step under way.</summary>
internal static class Interruptible
{
    public static async Task<int> Run(Func<int> work, CancellationToken cancellation)
    {
        var task = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return await task.WaitAsync(cancellation);
        }
        catch (OperationCanceledException) when (!task.IsCompleted)
        {
            await Console.Error.WriteLineAsync("bruma: interrupted.");
            Leave(BrumaCommand.Interrupted);
            throw;
        }
    }

    /// <summary>Ends the process without waiting for native threads; the system takes the memory back.</summary>
    private static void Leave(int code)
    {
        Console.Out.Flush();
        if (OperatingSystem.IsWindows())
            Environment.Exit(code);
        else
            End(code);

        [DllImport("libc", EntryPoint = "_exit"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        static extern void End(int status);
    }
}
