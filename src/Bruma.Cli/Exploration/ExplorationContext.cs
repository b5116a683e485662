using System.CommandLine;
using Bruma.Cli.Generation;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Cli.Exploration;

/// <summary>What all ways to explore share: a loaded model, the prompt, the request, and how results are written.</summary>
internal sealed class ExplorationContext(GenerateArguments arguments, PromptModel model, string prompt, CancellationToken cancellation)
{
    public const int MillisecondsPerFrame = 90;

    public GenerateArguments Arguments => arguments;

    public StableDiffusionPipeline Pipeline => model.Pipeline;

    public string Prompt => prompt;

    public ImageRequest Request { get; } = model.Request();

    public CancellationToken Cancellation => cancellation;

    public PromptBatch Batch => new(Prompt, Request);

    /// <summary>Draws the request as it stands; uint8 [3, H, W].</summary>
    public Tensor Draw(ImageRequest request, string? text = null)
    {
        using var scope = NewDisposeScope();
        cancellation.ThrowIfCancellationRequested();
        return Pipeline.Generate(text ?? Prompt, request with { Count = 1 }, cancellationToken: cancellation).Single().ToTensor().MoveToOuterDisposeScope();
    }

    /// <summary>The settings in a few words, for a title.</summary>
    public string Settings(ImageRequest request) => FormattableString.Invariant($"{Path.GetFileName(Pipeline.Identity.Name.TrimEnd('/'))}, {request.Steps} steps, guidance {request.GuidanceScale}, seed {request.Seed}");

    public void WriteSheet(string title, IReadOnlyList<LabelledPicture> cells, int columns, IReadOnlyList<string>? rows = null, IReadOnlyList<string>? columnNames = null)
    {
        using var sheet = LabelledSheet.Compose(title, cells, columns, rows, columnNames);
        PngFile.Write(arguments.Output, sheet);
        Console.WriteLine($"{arguments.Output}: {title}");
    }

    /// <summary>An animation beside the sheet.</summary>
    public void WriteAnimation(IReadOnlyList<Tensor> frames, int milliseconds = MillisecondsPerFrame)
    {
        var file = Path.ChangeExtension(arguments.Output, ".webp");
        AnimatedWebp.Write(file, frames, milliseconds);
        Console.WriteLine($"{file}: {frames.Count} frames");
    }

    /// <summary>A subcommand with the flags of <c>bruma generate</c> and its own.</summary>
    public static Command Command(string name, string description, IReadOnlyList<Option> own, Action<ExplorationContext, ParseResult> explore)
    {
        var options = new GenerateOptions($"{name}.png");
        var command = new Command(name, description);
        options.AddTo(command);
        foreach (var option in own)
            command.Add(option);
        command.SetAction((parsed, cancellation) => Interruptible.Run(() => Run(options.Read(parsed), context => explore(context, parsed), cancellation), cancellation));
        return command;
    }

    public static int Run(GenerateArguments arguments, Action<ExplorationContext> explore, CancellationToken cancellation)
    {
        Native.UseThreads(arguments.Threads);
        if (arguments.Prompt is null)
            throw new UsageException("say what to draw, as in bruma explore walk \"a red apple\".");
        var path = ModelPath.FindAny(arguments.Model ?? ModelPath.DefaultForPrompts());
        if (ModelPath.DrawsByClass(path))
            throw new UsageException($"{path}: draws by class, without a prompt; explore needs a Stable Diffusion model.");
        using var scope = NewDisposeScope();
        var (prompt, adapters) = arguments.Syntax == PromptSyntax.A1111 ? PromptAdapters.Extract(arguments.Prompt) : (arguments.Prompt, []);
        using var model = PromptModel.Load(arguments, path, adapters);
        explore(new ExplorationContext(arguments, model, prompt, cancellation));
        return 0;
    }
}
