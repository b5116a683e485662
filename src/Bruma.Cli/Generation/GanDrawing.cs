using System.Diagnostics;
using Bruma.Gans;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Cli.Generation;

/// <summary>What <c>bruma generate</c> draws with a GAN; without a class the classes come in turn.</summary>
internal static class GanDrawing
{
    public static int Run(GenerateArguments arguments, string model, CancellationToken cancellation)
    {
        if (arguments.Prompt is not null)
            throw new UsageException($"the model {model} is a GAN and takes no prompt; choose with --class where it has classes.");
        using var scope = NewDisposeScope();
        using var pipeline = GanPipeline.Load(model);
        var classes = pipeline.Generator.Config.Classes;
        var label = ClassNames.Resolve(arguments.Class, pipeline.Defaults, classes == 0 ? null : classes);
        var watch = Stopwatch.StartNew();
        var pictures = ImageTensor.ToBytes(pipeline.Generate(new GanRequest(arguments.Count, arguments.Seed, label, arguments.Truncation), cancellation)); // uint8 [N, C, H, W]
        var output = new OutputFiles(arguments.Output, arguments.Count, arguments.FirstIndex);
        for (var i = 0; i < arguments.Count; i++)
            output.Add(pictures[i], arguments.Seed + i, arguments.Metadata ? Text(arguments, model, i) : null);
        output.Finish();
        DrawingReport.Print(arguments, output.Files, watch.Elapsed.TotalSeconds, label: label);
        return 0;
    }

    private static Dictionary<string, string> Text(GenerateArguments arguments, string model, int index) => new()
    {
        ["parameters"] = FormattableString.Invariant($"{arguments.Class ?? ""}\nSampler: GAN, Seed: {arguments.Seed + index}, Model: {Path.GetFileName(model.TrimEnd('/'))}, RNG: CPU, Version: Bruma {typeof(GanPipeline).Assembly.GetName().Version?.ToString(3)}"),
    };
}
