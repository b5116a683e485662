using System.Diagnostics;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Cli.Generation;

/// <summary>Models that draw from a prompt.</summary>
internal static class PromptDrawing
{
    public static int Run(GenerateArguments arguments, string model, CancellationToken cancellation)
    {
        if (arguments.Class is not null)
            throw new UsageException($"--class: the model {model} draws from a prompt; say in words what to draw.");
        if (arguments.Prompt is null)
            throw new UsageException("say what to draw, as in bruma generate \"a red apple\" (\"\" for no prompt).");
        using var scope = NewDisposeScope();
        var (prompt, adapters) = arguments.Syntax == PromptSyntax.A1111 ? PromptAdapters.Extract(arguments.Prompt) : (arguments.Prompt, []);
        using var loaded = PromptModel.Load(arguments, model, adapters);
        if (KnownWords.Of(model)?.Notice(prompt) is { } notice)
            Console.Error.WriteLine($"note: {notice}");
        prompt = InStyle(prompt, arguments.Style, loaded.Pipeline.Defaults.Styles, model);
        var request = loaded.Request();
        cancellation.ThrowIfCancellationRequested();

        var output = new OutputFiles(arguments.Output, arguments.Count, arguments.FirstIndex);
        using var progress = new ProgressLine();
        var watch = Stopwatch.StartNew();
        foreach (var image in loaded.Draw(prompt, request, Preview(arguments, loaded.Pipeline), progress, cancellation))
        {
            using var pixels = image.ToTensor();
            output.Add(pixels, image.Seed, arguments.Metadata ? image.Text : null);
        }
        output.Finish();
        progress.Dispose();
        DrawingReport.Print(arguments, output.Files, watch.Elapsed.TotalSeconds, progress.Rate);
        return 0;
    }

    /// <summary>As the captions of training name styles.</summary>
    private static string InStyle(string prompt, string? style, IReadOnlyList<string>? known, string model)
    {
        if (style is null)
            return prompt;
        if (known is null)
            throw new UsageException($"--style {style}: the model {model} has no styles of its own; say the style in the prompt.");
        if (known.FirstOrDefault(name => name.Equals(style, StringComparison.OrdinalIgnoreCase)) is not { } named)
            throw new UsageException($"--style {style}: must be one of {string.Join(", ", known)}.");
        return prompt.Length == 0 ? $"{named} style" : $"{prompt}, {named} style";
    }

    private static Action<GenerationStep>? Preview(GenerateArguments arguments, StableDiffusionPipeline pipeline) => arguments.Preview is not { } preview ? null : step =>
    {
        if (step.Step % preview.Every != 0)
            return;
        using var scope = NewDisposeScope();
        PngFile.Write(preview.Path, ImageTensor.ToBytes(pipeline.Decode(step.Denoised, arguments.Tiling))[0]);
    };
}
