using System.Text.Json;
using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Kind <c>pipeline</c>: one call with given draws of noise.</summary>
internal static class PipelineKind
{
    public static void Run(GoldenCase golden, CaseReport report)
    {
        var name = golden.Spec.GetProperty("class").GetString()!;
        if (name is "DDPMPipeline" or "DDIMPipeline")
            Unconditional(golden, report, name == "DDIMPipeline");
        else if (name == "DiTPipeline")
            ByClass(golden, report);
        else if (StableDiffusionPipeline.Knows(name))
            StableDiffusionKind.Run(golden, report);
        else
            throw new UnknownCaseException($"unknown pipeline {name}");
    }

    private static void ByClass(GoldenCase golden, CaseReport report)
    {
        var call = golden.Spec.GetProperty("call");
        using var pipeline = DiTPipeline.Load(PromptKinds.Sources(golden));
        if (golden.Spec.TryGetProperty("scheduler", out var scheduler))
            pipeline.Scheduler = SchedulerConfig.Read(scheduler);
        var labels = call.GetProperty("class_labels");
        var request = new DiffusionRequest(
            1, 0, null, call.TryGetProperty("num_inference_steps", out var steps) ? steps.GetInt32() : 50, call.TryGetProperty("guidance_scale", out var scale) ? scale.GetDouble() : 4);
        var (drawn, given) = (0, golden.Has("latents"));
        var images = pipeline.Sample(labels.ValueKind == JsonValueKind.Array ? [.. labels.EnumerateArray().Select(label => label.GetInt64())] : [labels.GetInt64()], request, Draw);
        report.Compare("output_image", ImageTensor.ToUnit(images).permute(0, 2, 3, 1));
        report.CompareExact("draws of noise", drawn, golden.Names("noise.").Count());

        Tensor Draw(long[] shape)
        {
            var first = given;
            given = false;
            return golden.Tensor(first ? "latents" : $"noise.{drawn++}");
        }
    }

    private static void Unconditional(GoldenCase golden, CaseReport report, bool isDdim)
    {
        var call = golden.Spec.GetProperty("call");
        using var pipeline = DiffusionPipeline.Load(golden.PathOf(golden.Spec.GetProperty("folder").GetString()!));
        var config = golden.Spec.TryGetProperty("scheduler", out var given) ? SchedulerConfig.Read(given) : pipeline.Scheduler;
        var options = new SchedulerOptions(
            call.TryGetProperty("eta", out var eta) ? eta.GetDouble() : null,
            call.TryGetProperty("use_clipped_model_output", out var clipped) && clipped.ValueKind == JsonValueKind.True);
        using var scheduler = Scheduler.Create(isDdim ? config.As("DDIMScheduler") : config, call.TryGetProperty("num_inference_steps", out var steps) ? steps.GetInt32() : isDdim ? 50 : 1000, options);

        var drawn = 0;
        Tensor Draw(long[] shape) => golden.Tensor($"noise.{drawn++}");
        using var noGradient = no_grad();
        var images = DenoisingLoop.Run(pipeline.Guided(null, 1), scheduler, golden.Has("latents") ? golden.Tensor("latents") : Draw([]), Draw);
        report.Compare("output_image", ImageTensor.ToUnit(images).permute(0, 2, 3, 1));
        report.CompareExact("draws of noise", drawn, golden.Names("noise.").Count());
    }
}
