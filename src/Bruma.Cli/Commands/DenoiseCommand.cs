using System.CommandLine;
using Bruma.Diffusion;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma denoise</c>: shows how a picture comes out of noise, step by step.</summary>
internal static class DenoiseCommand
{
    private const int MillisecondsPerFrame = 120;

    public static Command Create()
    {
        var model = new Argument<string?>("model") { Description = "Run, model folder or name of a model (default: fashion).", Arity = ArgumentArity.ZeroOrOne };
        var label = new Option<string?>("--class") { Description = "Name or index of the class to draw." };
        var count = new Option<int>("--count") { Description = "Pictures side by side.", DefaultValueFactory = _ => 4 };
        var steps = new Option<int?>("--steps") { Description = "Denoising steps (default: the model's own)." };
        var guidance = new Option<double?>("--guidance-scale") { Description = "Classifier-free guidance; 1 is none." };
        var scheduler = new Option<string?>("--scheduler") { Description = "Scheduler (default: the model's own)." };
        var columns = new Option<int>("--columns") { Description = "Moments on the sheet.", DefaultValueFactory = _ => 10 };
        var seed = new Option<long?>("--seed") { Description = "Seed (default: drawn and printed)." };
        var output = new Option<string>("--output", "-o") { Description = "Sheet to write; the animation lies beside it as .webp.", DefaultValueFactory = _ => "denoise.png" };
        var command = new Command("denoise", "Show the iterative denoising: x_t and the predicted x_0 per step, as a sheet and an animation. Example: bruma denoise RUN --class 7 --output steps.png")
        {
            model, label, count, steps, guidance, scheduler, columns, seed, output,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var folder = ModelPath.Find(parsed.GetValue(model));
            var (file, moments) = (parsed.GetValue(output)!, parsed.GetValue(columns));
            OutputFiles.Check(file);
            if (parsed.GetValue(count) < 1)
                throw new UsageException($"--count {parsed.GetValue(count)}: must be at least 1.");
            if (moments < 2)
                throw new UsageException($"--columns {moments}: must be at least 2.");
            using var scope = NewDisposeScope();
            using var pipeline = DiffusionPipeline.Load(folder);
            var request = new DiffusionRequest(parsed.GetValue(count), parsed.GetValue(seed) ?? Random.Shared.Next(), ClassNames.Resolve(parsed.GetValue(label), pipeline.Defaults, pipeline.Network.Config.NumClassEmbeds),
                parsed.GetValue(steps), parsed.GetValue(guidance), parsed.GetValue(scheduler));
            Run(pipeline, request, (file, moments), cancellation);
            return 0;
        }, cancellation));
        return command;
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

        var moments = Enumerable.Range(0, Math.Min(output.Moments, noisy.Count)).Select(i => (int)Math.Round(i * (noisy.Count - 1.0) / Math.Max(1, Math.Min(output.Moments, noisy.Count) - 1))).ToArray();
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
