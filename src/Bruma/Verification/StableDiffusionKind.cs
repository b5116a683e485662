using System.Text.Json;
using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Pipelines with a text prompt, fed with the stored draws.</summary>
internal static class StableDiffusionKind
{
    private const string DeltaPrefix = "delta.";

    public static void Run(GoldenCase golden, CaseReport report)
    {
        var call = new CallArguments(golden.Spec.GetProperty("class").GetString()!, golden.Spec.GetProperty("call"));
        using var pipeline = StableDiffusionPipeline.Load(PromptKinds.Sources(golden));
        if (golden.Spec.TryGetProperty("scheduler", out var scheduler))
            pipeline.Scheduler = SchedulerConfig.Read(scheduler);
        AddAdapters(golden, report, pipeline);
        CompareEmbeddings(golden, report, pipeline);

        var (drawn, given) = (0, golden.Has("latents"));
        var steps = new List<Tensor>();
        var prompts = call.Prompts();
        using var control = golden.Spec.TryGetProperty("components", out var parts) && parts.TryGetProperty("controlnet", out var folder) ? ControlNetModel.Load(golden.PathOf(folder.GetString()!)) : null;
        var request = call.Request(golden, pipeline, control);
        var latents = pipeline.Sample(prompts, request, Draw, step => steps.Add(step.Sample.clone().DetachFromDisposeScope()));

        if (golden.Has("step_latents"))
            report.Compare("step_latents", stack(steps));
        report.Compare("output_latents", latents);
        if (golden.Has("output_image"))
            report.Compare("output_image", ImageTensor.ToUnit(pipeline.Decode(latents)).permute(0, 2, 3, 1));
        report.CompareExact("draws of noise", drawn, golden.Names("noise.").Count());

        Tensor Draw(long[] shape)
        {
            if (!given)
                return golden.Tensor($"noise.{drawn++}");
            given = false;
            return golden.Tensor("latents");
        }
    }

    /// <summary>Merges the case's adapters and compares what they add to each weight.</summary>
    private static void AddAdapters(GoldenCase golden, CaseReport report, StableDiffusionPipeline pipeline)
    {
        if (golden.Spec.TryGetProperty("embeddings", out var embeddings))
            foreach (var entry in embeddings.EnumerateArray())
                pipeline.AddEmbedding(golden.PathOf(entry.GetProperty("file").GetString()!), entry.TryGetProperty("token", out var token) ? token.GetString() : null);
        if (!golden.Spec.TryGetProperty("adapters", out var adapters))
            return;
        var components = pipeline.Components;
        var before = golden.Names(DeltaPrefix).ToDictionary(name => name, name => Weight(name).detach().clone());
        pipeline.AddAdapters([.. adapters.EnumerateArray().Select(entry =>
        {
            var path = golden.PathOf((entry.TryGetProperty("file", out var file) ? file : entry.GetProperty("folder")).GetString()!);
            return new NamedFile(path, path, null, entry.GetProperty("weight").GetDouble(), entry.TryGetProperty("component", out var component) ? component.GetString() : null);
        })]);
        foreach (var (name, original) in before)
            report.Compare(name, Weight(name) - original);

        Tensor Weight(string name)
        {
            var parts = name[DeltaPrefix.Length..].Split('.', 2);
            return components[parts[0]].get_parameter(parts[1])!;
        }
    }

    /// <summary>Texts with learned words in them.</summary>
    private static void CompareEmbeddings(GoldenCase golden, CaseReport report, StableDiffusionPipeline pipeline)
    {
        if (!golden.Spec.TryGetProperty("prompts", out var texts))
            return;
        var encoder = pipeline.Prompts.Encoders[0];
        foreach (var (text, i) in PromptKinds.Texts(texts).Select((text, i) => (text, i)))
        {
            report.Compare($"input_ids.{i}", encoder.Ids(encoder.Prompts.Read(text, PromptSyntax.Plain)));
            report.Compare($"embeds.{i}", pipeline.Prompts.Encode([text], default).Context);
        }
    }

    /// <summary>The arguments of a call by the names of diffusers, with its pipelines' defaults.</summary>
    private sealed class CallArguments(string name, JsonElement call)
    {
        private bool IsXl => name.StartsWith("StableDiffusionXL", StringComparison.Ordinal);

        private bool IsInpaint => name.Contains("Inpaint", StringComparison.Ordinal);

        private bool IsImage => name.Contains("Img2Img", StringComparison.Ordinal) || IsInpaint || name.Contains("Pix2Pix", StringComparison.Ordinal);

        public PromptBatch Prompts()
        {
            var prompts = List("prompt", 1)!;
            return new PromptBatch(prompts, List("negative_prompt", prompts.Count), List("prompt_2", prompts.Count), List("negative_prompt_2", prompts.Count));
        }

        public ImageRequest Request(GoldenCase golden, StableDiffusionPipeline pipeline, ControlNetModel? control) => new()
        {
            Count = (int)(Number("num_images_per_prompt") ?? 1),
            Width = (int?)Number("width"),
            Height = (int?)Number("height"),
            Steps = (int?)Number("num_inference_steps"),
            Timesteps = Numbers("timesteps"),
            GuidanceScale = Number("guidance_scale"),
            GuidanceRescale = Number("guidance_rescale") ?? 0,
            Eta = Number("eta"),
            ClipSkip = (int?)Number("clip_skip"),
            DenoisingEnd = Number("denoising_end"),
            DenoisingStart = Number("denoising_start"),
            GuessMode = Flag("guess_mode"),
            Start = IsImage ? new StartImage(golden.Tensor("image")[0], Strength(), golden.Has("mask_image") ? golden.Tensor("mask_image")[0] : null, Number("image_guidance_scale") ?? 1.5) : null,
            Controls = control is null ? [] : [new ControlInput(control, golden.Tensor("control_image")[0], Number("controlnet_conditioning_scale") ?? (IsXl ? 1 : name.Contains("Img2Img", StringComparison.Ordinal) ? 0.8 : 1), Number("control_guidance_start") ?? 0, Number("control_guidance_end") ?? 1)],
            Sizes = new XlSizes(
                Size("original_size"), Size("crops_coords_top_left") ?? default, Size("target_size"),
                Size("negative_original_size"), Size("negative_crops_coords_top_left") ?? default, Size("negative_target_size"),
                Number("aesthetic_score") ?? 6, Number("negative_aesthetic_score") ?? 2.5),
        };

        private double Strength() => Number("strength") ?? (IsInpaint ? IsXl ? 0.9999 : 1 : IsXl ? 0.3 : 0.8);

        private double? Number(string key) => call.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

        private bool Flag(string key) => call.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.True;

        private double[]? Numbers(string key) => call.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => item.GetDouble())] : null;

        private PictureSize? Size(string key) => Numbers(key) is [var height, var width] ? new PictureSize((int)height, (int)width) : null;

        /// <summary>A list, or one text for all.</summary>
        private List<string>? List(string key, int count) =>
            !call.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null ? null
            : value.ValueKind == JsonValueKind.Array ? PromptKinds.Texts(value)
            : [.. Enumerable.Repeat(value.GetString()!, count)];
    }
}
