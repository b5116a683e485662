using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>A diffusion transformer over latents that draws by class: diffusers' <c>DiTPipeline</c>.</summary>
/// <remarks>Peebles and Xie 2022, arXiv:2212.09748.</remarks>
public sealed class DiTPipeline : IClassPipeline
{
    private const int DefaultSteps = 50;
    private const double DefaultScale = 4;

    public DiTPipeline(DiTTransformer2DModel network, AutoencoderKl autoencoder, SchedulerConfig scheduler, ModelDefaults? defaults = null)
    {
        (Network, Autoencoder, Scheduler, Defaults) = (network, autoencoder, scheduler, defaults ?? new ModelDefaults());
        network.eval();
        autoencoder.eval();
    }

    public DiTTransformer2DModel Network { get; }

    public AutoencoderKl Autoencoder { get; }

    public SchedulerConfig Scheduler { get; set; }

    public ModelDefaults Defaults { get; }

    /// <summary>Number of classes; the network has one more, for none.</summary>
    public int? Classes => Network.Config.NumEmbedsAdaNorm;

    public int PictureSize => Network.Config.SampleSize * Autoencoder.Config.Reduction;

    public (int Steps, double GuidanceScale) Standard => (Defaults.Steps ?? DefaultSteps, Defaults.GuidanceScale ?? DefaultScale);

    /// <summary>Reads a diffusers folder, parts of which may come from elsewhere.</summary>
    public static DiTPipeline Load(ModelSources sources, ScalarType dtype = ScalarType.Float32)
    {
        var network = DiTTransformer2DModel.Load(sources.PathOf("transformer"), sources.Variant);
        var autoencoder = AutoencoderKl.Load(sources.PathOf("vae"), sources.Variant);
        network.to(dtype);
        autoencoder.to(dtype);
        return new DiTPipeline(network, autoencoder, sources.LoadScheduler(), Named(ModelDefaults.Read(sources.Folder), sources));
    }

    public Tensor Generate(DiffusionRequest request, Action<DenoisingStep>? onStep = null, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        var label = request.Class ?? throw new BrumaException($"the model draws by class: choose one of 0 to {Classes - 1} with --class.");
        var pictures = Enumerable.Range(0, request.Count).Select(i =>
        {
            using var noise = new SeededNoise(request.Seed + i, RandomSource.Cpu, null);
            return Sample([label], request, noise.Draw, onStep, cancellationToken);
        }).ToList();
        return cat(pictures).MoveToOuterDisposeScope();
    }

    /// <summary>One batch: what <see cref="Generate"/> does for each picture.</summary>
    /// <param name="labels">B classes.</param>
    /// <param name="noise">All draws, in the order in which diffusers draws.</param>
    /// <returns>[B, 3, H, W] in [-1, 1], fp32.</returns>
    public Tensor Sample(IReadOnlyList<long> labels, DiffusionRequest request, NoiseSource noise, Action<DenoisingStep>? onStep = null, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (batch, scale) = (labels.Count, request.GuidanceScale ?? Standard.GuidanceScale);
        var config = request.Scheduler is null ? Scheduler : SchedulerNames.Find(request.Scheduler, Scheduler);
        using var scheduler = Diffusion.Schedulers.Scheduler.Create(config, request.Steps ?? Standard.Steps, new SchedulerOptions(request.Eta));
        var side = Network.Config.SampleSize;
        var start = noise([batch, Network.Config.InChannels, side, side]) * scheduler.InitNoiseSigma;
        var classes = tensor([.. labels], int64);
        if (scale > 1) // the whole batch twice, as the reference runs it
            (start, classes) = (cat([start, start]), cat([classes, full_like(classes, Network.Config.NumEmbedsAdaNorm)]));
        var run = new DenoisingRun(start, noise, OnStep: onStep);
        var latents = DenoisingLoop.Run((sample, timesteps) => Predict(sample, timesteps, classes, scale), scheduler, run, cancellationToken)[..batch];
        return new LatentCodec(Autoencoder).Decode(latents).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Network.Dispose();
        Autoencoder.Dispose();
    }

    /// <summary>The names of the classes as published models have them, where nothing else names them.</summary>
    private static ModelDefaults Named(ModelDefaults defaults, ModelSources sources) => defaults.Classes is null && sources.ClassNames is { } names ? defaults with { Classes = names } : defaults;

    /// <summary>Guidance mixes the latents' channels; those of the learned variance are dropped.</summary>
    private Tensor Predict(Tensor sample, Tensor timesteps, Tensor classes, double scale)
    {
        using var scope = NewDisposeScope();
        var half = sample.shape[0] / 2;
        var input = scale > 1 ? sample[..(int)half].repeat(2, 1, 1, 1) : sample;
        var prediction = Network.call(input, timesteps, classes).to(float32).narrow(1, 0, Network.Config.InChannels);
        if (scale > 1)
            prediction = ClassifierFreeGuidance.Combine(prediction[(int)half..], prediction[..(int)half], scale).repeat(2, 1, 1, 1);
        return prediction.contiguous().MoveToOuterDisposeScope();
    }
}
