using System.CommandLine;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare</c>: the same data and time for several ways to do a thing, measured side by side.</summary>
internal static class CompareCommand
{
    public static Command Create() => new("compare", "Compare several ways to do a thing on the same data. Example: bruma compare gan --minutes 10 --output runs/compare")
    {
        CompareGanCommand.Create(),
        ComparePositionsCommand.Create(),
        CompareEmbeddingsCommand.Create(),
        CompareFinetuneCommand.Create(),
        CompareCatsCommand.Create(),
        CompareControlCommand.Create(),
        CompareStyleCommand.Create(),
    };

    /// <summary>The table on the output, as JSON or as people read it, and on the error stream the files that say more.</summary>
    internal static int Tell(string folder, bool json, Action print, params string[] files)
    {
        var table = Path.Combine(folder, "table.json");
        if (json)
            Console.Write(File.ReadAllText(table));
        else
            print();
        Console.Error.WriteLine(string.Join(", ", [.. files.Select(file => Path.Combine(folder, file)), table]));
        return 0;
    }
}
