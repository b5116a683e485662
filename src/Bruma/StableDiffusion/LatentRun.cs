using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>One run of a batch: prompts, start, network, loop.</summary>
internal sealed class LatentRun(StableDiffusionPipeline pipeline, ImageRequest request, NoiseSource noise)
{
    private readonly RequestDefaults _standard = pipeline.Standard;
    private readonly PictureSize _size = SizeOf(pipeline, request);

    private UNet2DConditionConfig Config => pipeline.Network.Config;

    private bool IsInstruction => Config.IsInstruction && request.Start is not null;

    private double Scale => request.GuidanceScale ?? _standard.GuidanceScale;

    /// <summary>Distilled networks take the scale as an input instead of a second pass.</summary>
    private bool IsGuided => Scale > 1 && Config.TimeCondProjDim is null && (!IsInstruction || request.Start!.ImageGuidanceScale >= 1);

    private SchedulerConfig Asked => request.Scheduler ?? pipeline.Scheduler;

    /// <summary>Whether all steps are taken, however little noise the strength allows: a latent consistency model that begins with a picture.</summary>
    private bool IsConsistent => Config.TimeCondProjDim is not null && request is { Start: { Mask: null }, StartLatents: null, Timesteps: null } && Asked.ClassName == "LCMScheduler";

    public Tensor Run(PromptBatch prompts, Action<DenoisingStep>? onStep, CancellationToken cancellationToken)
    {
        var batch = prompts.Prompts.Count * request.Count;
        var steps = request.Timesteps?.Count ?? request.Steps ?? _standard.Steps;
        using var scheduler = Scheduler.Create(Visiting(steps), steps, new SchedulerOptions(request.Eta ?? 0)); // diffusers' pipelines tell TCD 0, too
        var (positive, negative) = Embed(prompts);
        cancellationToken.ThrowIfCancellationRequested();

        var starts = new LatentStarts(pipeline.Codec, scheduler, noise, batch) { IsTiled = request.Tiling };
        var start = Begin(starts, steps);
        var end = starts.EndStep(request.DenoisingEnd);
        using var controls = request.Controls.Count == 0 ? null : new ControlResiduals(request.Controls, (_size, batch), scheduler.Timesteps.Count - start.First, start.First, request.GuessMode);
        var scaleEmbedding = Config.TimeCondProjDim is { } width ? GuidedNetwork.EmbedScale(Scale, batch, width) : null;
        var guidance = new Guidance(Scale, request.GuidanceRescale, request.Start?.ImageGuidanceScale ?? 1);
        var network = new GuidedNetwork(pipeline.Network, Passes(positive, negative, start.Channels, batch), guidance, controls, scaleEmbedding, start.First);
        return DenoisingLoop.Run(network.Predict, scheduler, new DenoisingRun(start.Latents, noise, start.First, end, start.AfterStep, onStep), cancellationToken);
    }

    /// <summary>Of the output: as asked, else the start picture's, else the model's.</summary>
    public static PictureSize SizeOf(StableDiffusionPipeline pipeline, ImageRequest request)
    {
        var multiple = pipeline.SizeMultiple;
        if (request.StartLatents is { } latents)
            return new PictureSize((int)latents.shape[2] * multiple, (int)latents.shape[3] * multiple);
        var own = pipeline.Standard.Size(multiple);
        if (request.Start is { } start)
            own = new PictureSize((int)start.Pixels.shape[1] / multiple * multiple, (int)start.Pixels.shape[2] / multiple * multiple);
        return new PictureSize(request.Height ?? own.Height, request.Width ?? own.Width);
    }

    // a latent consistency model takes all its steps, from the noise on that the strength allows
    private SchedulerConfig Visiting(int steps) => Asked with
    {
        GivenTimesteps = request.Timesteps ?? (IsConsistent ? TimestepGrid.OfConsistency(Asked, steps, request.Start!.Strength ?? _standard.Strength) : null),
    };

    private (PromptEmbedding Positive, PromptEmbedding? Negative) Embed(PromptBatch prompts)
    {
        var reading = new PromptReading(request.Syntax, request.ClipSkip);
        var positive = pipeline.Prompts.Encode(prompts.Prompts, reading, prompts.Prompts2);
        if (prompts.Mix is { } mix)
            positive = positive.Towards(pipeline.Prompts.Encode([.. prompts.Prompts.Select(_ => mix.Prompt)], reading), mix.Share);
        var negative = IsGuided ? pipeline.Prompts.EncodeNegative(positive, prompts.NegativePrompts, reading, prompts.NegativePrompts2 ?? prompts.NegativePrompts) : null;
        return (positive.Repeat(request.Count), negative?.Repeat(request.Count));
    }

    private LatentStart Begin(LatentStarts starts, int steps)
    {
        if (request.StartLatents is { } latents)
            return starts.FromLatents(latents, steps, request.StartLatentsStrength, request.DenoisingStart);
        if (request.Start is not { } image)
            return starts.FromNoise(_size);
        var picture = LatentStarts.Prepare(image.Pixels, _size, pipeline.SizeMultiple);
        if (IsInstruction)
            return starts.FromInstruction(picture);
        if (image.Mask is not { } mask)
            return starts.FromPicture(picture, steps, IsConsistent ? 1 : image.Strength ?? _standard.Strength, request.DenoisingStart);
        return starts.FromMasked(picture, LatentStarts.PrepareMask(mask, _size, pipeline.SizeMultiple), steps, image.Strength ?? 1, seesMask: Config.IsInpainting);
    }

    private List<GuidedPass> Passes(PromptEmbedding positive, PromptEmbedding? negative, Tensor? channels, int batch)
    {
        var withScore = Config.AdditionTimeEmbedDim is { } width && positive.Pooled is { } pooled && Config.ProjectionClassEmbeddingsInputDim == pooled.shape[1] + 5 * width;
        var (ids, negativeIds) = positive.Pooled is null ? (null, null) : ((Tensor?, Tensor?))request.Sizes.Ids(_size, batch, withScore, request.Start is not null);
        if (negative is null)
            return [new GuidedPass(positive, ids, channels)];
        if (IsInstruction)
            return [new GuidedPass(positive, ids, channels), new GuidedPass(negative, negativeIds, channels), new GuidedPass(negative, negativeIds, zeros_like(channels!))];
        return [new GuidedPass(negative, negativeIds, channels, IsControlled: !request.GuessMode), new GuidedPass(positive, ids, channels)];
    }
}
