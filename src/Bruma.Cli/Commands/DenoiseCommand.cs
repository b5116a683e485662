using System.CommandLine;
using Bruma.Cli.Exploration;
using Bruma.Cli.Generation;
using Bruma.Diffusion;
using Bruma.Imaging;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma denoise</c>: shows how a picture comes out of noise, step by step.</summary>
internal static class DenoiseCommand
{
    private const int MillisecondsPerFrame = 120;

    public static Command Create()
    {
        var model = new Argument<string?>("model") { Description = "Run, model folder or name of a model (default: fashion; with --prompt the model for prompts).", Arity = ArgumentArity.ZeroOrOne };
        var prompt = new Option<string?>("--prompt") { Description = "Text to draw, for models that take one." };
        var label = new Option<string?>("--class") { Description = "Name or index of the class to draw." };
        var count = new Option<int>("--count") { Description = "Pictures side by side.", DefaultValueFactory = _ => 4 };
        var steps = new Option<int?>("--steps") { Description = "Denoising steps (default: the model's own)." };
        var guidance = new Option<double?>("--guidance-scale") { Description = "Classifier-free guidance; 1 is none." };
        var scheduler = new Option<string?>("--scheduler") { Description = "Scheduler (default: the model's own)." };
        var columns = new Option<int>("--columns") { Description = "Moments on the sheet.", DefaultValueFactory = _ => 10 };
        var seed = new Option<long?>("--seed") { Description = "Seed (default: drawn and printed)." };
        var output = new Option<string>("--output", "-o") { Description = "Sheet to write; the animation lies beside it as .webp.", DefaultValueFactory = _ => "denoise.png" };
        var command = new Command("denoise", "Show the iterative denoising: x_t and the predicted x_0 per step, as a sheet and an animation. Examples: bruma denoise RUN --class 7 --output steps.png; bruma denoise --prompt \"a red apple\"")
        {
            model, prompt, label, count, steps, guidance, scheduler, columns, seed, output,
        };
        command.SetAction((parsed, cancellation) => Interruptible.Run(() => Run(new GenerateArguments(parsed.GetValue(prompt), parsed.GetValue(label), parsed.GetValue(model))
        {
            Count = parsed.GetValue(count),
            Steps = parsed.GetValue(steps),
            GuidanceScale = parsed.GetValue(guidance),
            Scheduler = parsed.GetValue(scheduler),
            Seed = parsed.GetValue(seed) ?? Random.Shared.Next(),
            Syntax = PromptSyntax.A1111,
            Precision = Native.Precision(null),
            Output = parsed.GetValue(output)!,
        }, parsed.GetValue(columns), cancellation), cancellation));
        return command;
    }

    private static int Run(GenerateArguments arguments, int moments, CancellationToken cancellation)
    {
        OutputFiles.Check(arguments.Output);
        if (arguments.Count < 1)
            throw new UsageException($"--count {arguments.Count}: must be at least 1.");
        if (moments < 2)
            throw new UsageException($"--columns {moments}: must be at least 2.");
        var folder = ModelPath.FindAny(arguments.Model ?? (arguments.Prompt is null ? ModelPath.Default : ModelPath.DefaultForPrompts()));
        if (ModelPath.DrawsByClass(folder))
            DrawByClass(arguments, folder, moments, cancellation);
        else if (arguments.Class is not null)
            throw new UsageException($"--class: {folder} draws from a prompt; say in words what to draw, with --prompt.");
        else if (arguments.Prompt is null)
            throw new UsageException($"{folder}: draws from a prompt; say what to draw with --prompt.");
        else
            ExplorationContext.Run(arguments with { Model = folder }, context => StepsExploration.Run(context, moments), cancellation);
        return 0;
    }

    private static void DrawByClass(GenerateArguments arguments, string folder, int moments, CancellationToken cancellation)
    {
        if (arguments.Prompt is not null)
            throw new UsageException($"--prompt: {folder} draws without a prompt; choose with --class.");
        using var scope = NewDisposeScope();
        using var pipeline = DiffusionPipeline.Load(folder);
        var request = new DiffusionRequest(arguments.Count, arguments.Seed, ClassNames.Resolve(arguments.Class, pipeline.Defaults, pipeline.Classes), arguments.Steps, arguments.GuidanceScale, arguments.Scheduler);
        Run(pipeline, request, (arguments.Output, moments), cancellation);
    }

    private static void Run(DiffusionPipeline pipeline, DiffusionRequest request, (string File, int Moments) output, CancellationToken cancellation)
    {
        var noisy = new List<Tensor>(); // uint8 [N, C, H, W] per step
        var clean = new List<Tensor>();
        pipeline.Generate(request, step =>
        {
            noisy.Add(ImageTensor.ToBytes(step.Sample.clamp(-1, 1)).DetachFromDisposeScope());
            clean.Add(ImageTensor.ToBytes(step.Denoised.clamp(-1, 1)).DetachFromDisposeScope());
        }, cancellation);

        var moments = StepsExploration.Spread(output.Moments, noisy.Count);
        var rows = new List<Tensor>();
        for (var picture = 0; picture < request.Count; picture++)
            foreach (var series in new[] { noisy, clean })
                rows.AddRange(moments.Select(moment => series[moment][picture]));
        PngFile.Write(output.File, ContactSheet.Compose(rows, moments.Length));

        var animation = Path.ChangeExtension(output.File, ".webp");
        AnimatedWebp.Write(animation, [.. noisy.Select((frame, i) => ContactSheet.Compose([.. frame.unbind(), .. clean[i].unbind()], request.Count))], MillisecondsPerFrame);
        foreach (var tensor in noisy.Concat(clean))
            tensor.Dispose();
        Console.WriteLine($"{output.File}: rows x_t and predicted x_0 of each picture, {moments.Length} of {noisy.Count} steps; {animation}: all steps; seed {request.Seed}");
    }
}
