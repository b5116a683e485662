using System.CommandLine;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma resume</c>: goes on with an interrupted run, bit for bit.</summary>
internal static class ResumeCommand
{
    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "Folder of the run." };
        var json = new Option<bool>("--json") { Description = "Progress as JSON lines." };
        var command = new Command("resume", "Go on with an interrupted run, bit for bit. Example: bruma resume runs/fashion") { run, json };
        command.SetAction((parsed, cancellation) => TrainingSession.Resume(parsed.GetValue(run)!, parsed.GetValue(json), cancellation));
        return command;
    }
}
