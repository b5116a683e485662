using System.CommandLine;
using System.Diagnostics;
using Bruma.Cli.Generation;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Text;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma replay</c>: draws a picture again from what it carries.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var picture = new Argument<string>("picture") { Description = "A picture that Bruma wrote, or A1111 or stable-diffusion.cpp." };
        var model = new Option<string?>("--model") { Description = "The model, where the picture does not say where it lies." };
        var threads = new Option<int>("--threads") { Description = "Threads (default: as many as then)." };
        var output = new Option<string>("--output", "-o") { Description = "File to write.", DefaultValueFactory = _ => "replay.png" };
        var command = new Command("replay", "Draw a picture again from the record in it: on the same machine with the same pixels. Example: bruma replay output.png --output again.png") { picture, model, threads, output };
        command.SetAction((parsed, cancellation) => Interruptible.Run(() => Run(parsed.GetRequiredValue(picture), parsed.GetValue(model), parsed.GetValue(threads), parsed.GetValue(output)!, cancellation), cancellation));
        return command;
    }

    private static int Run(string picture, string? model, int threads, string output, CancellationToken cancellation)
    {
        OutputFiles.Check(output, ("the command", picture));
        if (!PictureText.Read(picture).TryGetValue(ParametersWriter.Keyword, out var text))
            throw new BrumaException($"{picture}: carries no parameters, so it cannot be drawn again.");
        var parameters = ParametersText.Parse(text);
        if (parameters[ParametersWriter.RecordKey] is not { } json)
            return GenerateCommand.Run(ForeignParameters.Read(parameters, picture, model) with { Output = output, Threads = threads }, cancellation);

        var record = GenerationRecord.FromJson(json, picture);
        Native.UseThreads(threads > 0 ? threads : record.Threads);
        using var progress = new ProgressLine();
        var watch = Stopwatch.StartNew();
        using var replay = ImageReplay.Load(record, model is null ? null : ModelPath.FindAny(model));
        var image = replay.Draw(progress, cancellation);
        image.Save(output);
        progress.Dispose();
        Console.WriteLine(FormattableString.Invariant($"{output}: drawn again in {watch.Elapsed.TotalSeconds:0.00} s, seed {record.Seed}"));
        return 0;
    }
}
