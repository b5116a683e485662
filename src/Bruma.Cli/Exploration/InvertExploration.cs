using Bruma.Imaging;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Cli.Exploration;

/// <summary>A real picture back to its noise (DDIM inversion), then drawn again with another prompt.</summary>
internal static class InvertExploration
{
    public static void Run(ExplorationContext context, string? edit)
    {
        var start = context.Request.Start ?? throw new UsageException("invert needs the picture: give --image FILE, and describe it as it is in the prompt.");
        var request = context.Request with { Start = null };
        if (request.Width is null || request.Height is null)
            request = request with { Width = (int)start.Pixels.shape[2] / context.Pipeline.SizeMultiple * context.Pipeline.SizeMultiple, Height = (int)start.Pixels.shape[1] / context.Pipeline.SizeMultiple * context.Pipeline.SizeMultiple };
        using var noise = context.Pipeline.Invert(start.Pixels, context.Prompt, request, cancellationToken: context.Cancellation);
        var forwards = request with { Scheduler = context.Pipeline.Scheduler.As("DDIMScheduler") };
        var original = Resampling.Resize(start.Pixels, request.Width!.Value, request.Height!.Value, ResampleFilter.Lanczos);
        var again = context.Pipeline.DrawFrom(noise, context.Batch, forwards with { GuidanceScale = 1 }, cancellationToken: context.Cancellation);
        var cells = new List<LabelledPicture>
        {
            new(original, "the picture"),
            new(ImageTensor.ToBytes(Normalized(noise)), "its noise (first 3 channels)"),
            new(again, FormattableString.Invariant($"drawn again, {Difference(original, again):0.0} levels off")),
        };
        if (edit is not null)
        {
            var edited = context.Pipeline.DrawFrom(noise, new PromptBatch(edit, request), forwards, cancellationToken: context.Cancellation);
            cells.Add(new(edited, $"\"{edit}\"\nguidance {FormattableString.Invariant($"{request.GuidanceScale}")}"));
        }
        context.WriteSheet($"\"{context.Prompt}\", inverted ({context.Settings(request)})", cells, cells.Count);

        Tensor Normalized(Tensor latents)
        {
            using var scope = NewDisposeScope();
            var three = latents[0].narrow(0, 0, Math.Min(3, latents.shape[1]));
            return nn.functional.interpolate((three.shape[0] == 3 ? three : three[..1]).unsqueeze(0) / 3, [request.Height!.Value, request.Width!.Value])[0].MoveToOuterDisposeScope();
        }
    }

    private static double Difference(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return (a.to(float32) - b.to(float32)).abs().mean().item<float>();
    }
}
