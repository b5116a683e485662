using System.Diagnostics;
using System.Globalization;
using Bruma.Diffusion;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Cli.Generation;

/// <summary>Models that draw by class or without a condition.</summary>
internal static class ClassDrawing
{
    public static int Run(GenerateArguments arguments, string model, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var pipeline = ModelPath.OpenByClass(model, arguments.Precision == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32);
        Refuse(arguments, model, pipeline);
        var request = new DiffusionRequest(arguments.Count, arguments.Seed, ClassNames.Resolve(arguments.Class, pipeline.Defaults, pipeline.Classes),
            arguments.Steps, arguments.GuidanceScale, arguments.Scheduler, arguments.Eta ?? 0);

        var watch = Stopwatch.StartNew();
        var images = ImageTensor.ToBytes(pipeline.Generate(request, cancellationToken: cancellation)); // uint8 [N, C, H, W]
        var output = new OutputFiles(arguments.Output, arguments.Count, arguments.FirstIndex);
        var text = Parameters(arguments, request, model, pipeline);
        for (var i = 0; i < arguments.Count; i++)
            output.Add(images[i], arguments.Seed + i, arguments.Metadata ? text(i) : null);
        output.Finish();
        DrawingReport.Print(arguments, output.Files, watch.Elapsed.TotalSeconds, label: request.Class);
        return 0;
    }

    private static void Refuse(GenerateArguments arguments, string model, IClassPipeline pipeline)
    {
        if (arguments.Prompt is not null)
            throw new UsageException($"the model {model} has no text encoder and takes no prompt{(pipeline.Defaults.Classes is { } names ? $"; choose with --class: {ClassNames.Listed(names)}" : "")}.");
        var textOnly = new (string Flag, bool Given)[]
        {
            ("--negative-prompt", arguments.NegativePrompt is not null), ("--image", arguments.Pictures.Image is not null), ("--control", arguments.Controls.Count > 0), ("--lora", arguments.Loras.Count > 0),
            ("--embedding", arguments.Embeddings.Count > 0), ("--hires", arguments.HighResolution is not null), ("--width, --height and --size", arguments.Width is not null || arguments.Height is not null),
            ("--variation-seed", arguments.Variation is not null), ("--refiner", arguments.Refiner is not null), ("--preview", arguments.Preview is not null),
        };
        if (Array.Find(textOnly, option => option.Given).Flag is { } flag)
            throw new UsageException($"{flag}: the model {model} draws without a prompt and has nothing of the kind; choose a Stable Diffusion model.");
    }

    /// <summary>The line that other programs read from a picture; no time in it, so equal arguments give equal bytes.</summary>
    private static Func<int, Dictionary<string, string>> Parameters(GenerateArguments arguments, DiffusionRequest request, string model, IClassPipeline pipeline) => index => new()
    {
        ["parameters"] = string.Create(CultureInfo.InvariantCulture,
            $"{arguments.Class ?? ""}\nSteps: {request.Steps ?? pipeline.Standard.Steps}, Sampler: {request.Scheduler ?? pipeline.Scheduler.ClassName}, CFG scale: {request.GuidanceScale ?? pipeline.Standard.GuidanceScale}, Seed: {request.Seed + index}, Size: {pipeline.PictureSize}x{pipeline.PictureSize}, Model: {Path.GetFileName(model.TrimEnd('/'))}, RNG: CPU, Precision: {arguments.Precision}, Version: Bruma {typeof(DiffusionPipeline).Assembly.GetName().Version?.ToString(3)}"),
    };
}
