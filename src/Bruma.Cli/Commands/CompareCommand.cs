using System.CommandLine;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare</c>: the same data and time for several ways to do a thing, as one table and one sheet.</summary>
internal static class CompareCommand
{
    public static Command Create() => new("compare", "Compare several ways to do a thing on the same data. Example: bruma compare gan --minutes 10 --output runs/compare") { CompareGanCommand.Create() };
}
