using System.CommandLine;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare</c>: things side by side, measured.</summary>
internal static class CompareCommand
{
    public static Command Create() => new("compare", "Compare models or ways of training side by side. Example: bruma compare embeddings --output runs/embeddings")
    {
        ComparePositionsCommand.Create(),
        CompareGanCommand.Create(),
    };
}
