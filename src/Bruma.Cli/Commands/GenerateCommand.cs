using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Bruma.Diffusion;
using Bruma.Gans;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma generate</c>: draws pictures with a model.</summary>
internal static class GenerateCommand
{
    private sealed record Arguments(string? Prompt, string? Class, string Model, int Count, string Output, bool Json, string Precision, double? Truncation);

    public static Command Create()
    {
        var prompt = new Argument<string?>("prompt") { Description = "Text to draw; only models with a text encoder take one.", Arity = ArgumentArity.ZeroOrOne };
        var promptOption = new Option<string?>("--prompt") { Description = "The same as the first argument." };
        var label = new Option<string?>("--class") { Description = "Name or index of the class to draw." };
        var model = new Option<string?>("--model") { Description = "Model folder, a run's folder, or the name of a model that comes with Bruma (default: fashion)." };
        var count = new Option<int>("--count") { Description = "Number of pictures.", DefaultValueFactory = _ => 1 };
        var steps = new Option<int?>("--steps") { Description = "Denoising steps (default: the model's own, else 25)." };
        var guidance = new Option<double?>("--guidance-scale") { Description = "Classifier-free guidance; 1 is none (default: the model's own)." };
        var scheduler = new Option<string[]>("--scheduler") { Description = "Algorithm (euler, ddim, dpm++2m, unipc, ...), noise levels (karras, exponential, beta), or both, as in \"DPM++ 2M Karras\" (default: the model's own)." };
        var seed = new Option<long?>("--seed") { Description = "Seed of picture 1; picture i has seed + i - 1 (default: drawn and printed)." };
        var eta = new Option<double>("--eta") { Description = "DDIM's share of fresh noise, 0 to 1." };
        var truncation = new Option<double?>("--truncation") { Description = "For GANs: noise within this many standard deviations; smaller is more typical and less varied." };
        var output = new Option<string>("--output", "-o") { Description = "File to write: one contact sheet, or with %d in the name a file per picture.", DefaultValueFactory = _ => "output.png" };
        var precision = new Option<string?>("--precision") { Description = "bf16 or fp32 (default: by the CPU)." };
        var threads = new Option<int>("--threads") { Description = "Threads (default: all processors)." };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON." };
        var command = new Command("generate", "Draw pictures with a model. Example: bruma generate --class sneaker --count 16 --output sneakers.png")
        {
            prompt, promptOption, label, model, count, steps, guidance, scheduler, seed, eta, truncation, output, precision, threads, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            OutputFiles.Check(parsed.GetValue(output)!);
            var arguments = new Arguments(parsed.GetValue(prompt) ?? parsed.GetValue(promptOption), parsed.GetValue(label), ModelPath.Find(parsed.GetValue(model)),
                parsed.GetValue(count), parsed.GetValue(output)!, parsed.GetValue(json), Native.Precision(parsed.GetValue(precision)), parsed.GetValue(truncation));
            Native.UseThreads(parsed.GetValue(threads));
            var request = new DiffusionRequest(arguments.Count, parsed.GetValue(seed) ?? Random.Shared.Next(), null, parsed.GetValue(steps), parsed.GetValue(guidance), parsed.GetValue(scheduler) is { Length: > 0 } names ? string.Join(' ', names) : null, parsed.GetValue(eta));
            Check(arguments, request);
            return Run(arguments, request, cancellation);
        }, cancellation));
        return command;
    }

    private static void Check(Arguments arguments, DiffusionRequest request)
    {
        if (arguments.Count < 1)
            throw new UsageException($"--count {arguments.Count}: must be at least 1.");
        if (request.Steps is < 1 or > 10_000)
            throw new UsageException($"--steps {request.Steps}: must be 1 to 10000.");
        if (request.GuidanceScale is { } scale && !(double.IsFinite(scale) && scale >= 0))
            throw new UsageException($"--guidance-scale {scale.ToString(CultureInfo.InvariantCulture)}: must be 0 or more.");
        if (request.Eta is not (>= 0 and <= 1))
            throw new UsageException($"--eta {request.Eta.ToString(CultureInfo.InvariantCulture)}: must be 0 to 1.");
    }

    private static int Run(Arguments arguments, DiffusionRequest request, CancellationToken cancellation)
    {
        if (GanPipeline.IsIn(arguments.Model))
            return arguments.Prompt is null
                ? new GanDrawing(arguments.Model, arguments.Class, arguments.Count, request.Seed, arguments.Truncation, arguments.Output, arguments.Json).Run(cancellation)
                : throw new UsageException($"the model {arguments.Model} is a GAN and takes no prompt; choose with --class where it has classes.");
        using var scope = NewDisposeScope();
        using var pipeline = DiffusionPipeline.Load(arguments.Model, arguments.Precision == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32);
        if (arguments.Prompt is not null)
            throw new UsageException($"the model {arguments.Model} has no text encoder and takes no prompt{(pipeline.Defaults.Classes is { } names ? $"; choose with --class: {string.Join(", ", names)}" : "")}.");
        request = request with { Class = ClassNames.Resolve(arguments.Class, pipeline.Defaults, pipeline.Network.Config.NumClassEmbeds) };

        var watch = Stopwatch.StartNew();
        var images = ImageTensor.ToBytes(pipeline.Generate(request, cancellationToken: cancellation)); // uint8 [N, C, H, W]
        var seconds = watch.Elapsed.TotalSeconds;
        var files = OutputFiles.Write(arguments.Output, images, Parameters(arguments, request, pipeline));
        Report(arguments, request, files, seconds);
        return 0;
    }

    /// <summary>The line that other programs read from a picture; no time in it, so equal arguments give equal bytes.</summary>
    private static Func<int, Dictionary<string, string>> Parameters(Arguments arguments, DiffusionRequest request, DiffusionPipeline pipeline) => index => new()
    {
        ["parameters"] = string.Create(CultureInfo.InvariantCulture,
            $"{arguments.Class ?? ""}\nSteps: {request.Steps ?? pipeline.Defaults.Steps ?? 25}, Sampler: {request.Scheduler ?? pipeline.Scheduler.ClassName}, CFG scale: {request.GuidanceScale ?? pipeline.Defaults.GuidanceScale ?? 1}, Seed: {request.Seed + index}, Size: {pipeline.Defaults.Size}x{pipeline.Defaults.Size}, Model: {Path.GetFileName(arguments.Model.TrimEnd('/'))}, RNG: CPU, Precision: {arguments.Precision}, Version: Bruma {typeof(DiffusionPipeline).Assembly.GetName().Version?.ToString(3)}"),
    };

    private static void Report(Arguments arguments, DiffusionRequest request, IReadOnlyList<string> files, double seconds)
    {
        if (arguments.Json)
            Console.WriteLine(JsonSerializer.Serialize(new { files, seed = request.Seed, count = request.Count, @class = request.Class, seconds = Math.Round(seconds, 3), precision = arguments.Precision }));
        else
            Console.WriteLine(FormattableString.Invariant($"{string.Join(", ", files.Take(4))}{(files.Count > 4 ? $" and {files.Count - 4} more" : "")}: {request.Count} {(request.Count == 1 ? "picture" : "pictures")} in {seconds:0.00} s, seed {request.Seed}"));
    }
}
