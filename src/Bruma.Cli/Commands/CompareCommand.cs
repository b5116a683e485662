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
    };
}
