using System.CommandLine;
using Bruma.Cli.Generation;
using Bruma.Gans;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma generate</c>: draws pictures with a model.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var options = new GenerateOptions();
        var command = new Command("generate",
            "Draw pictures with a model: from a prompt, a class, a picture, a mask, controls. Examples: bruma generate \"a red apple\" --model runs/emoji --count 4; bruma generate --class sneaker --count 16 --output sneakers.png");
        options.AddTo(command);
        command.SetAction((parsed, cancellation) => Interruptible.Run(() => Run(options.Read(parsed), cancellation), cancellation));
        return command;
    }

    internal static int Run(GenerateArguments arguments, CancellationToken cancellation)
    {
        Native.UseThreads(arguments.Threads);
        var model = ModelPath.FindAny(arguments.Model ?? (arguments.Prompt is null ? ModelPath.Default : ModelPath.DefaultForPrompts()));
        if (GanPipeline.IsIn(model))
            return GanDrawing.Run(arguments, model, cancellation);
        return ModelPath.DrawsByClass(model)
            ? ClassDrawing.Run(arguments, model, cancellation)
            : PromptDrawing.Run(arguments, model, cancellation);
    }
}
