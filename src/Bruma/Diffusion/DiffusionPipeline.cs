using System.Text.Json;
using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>What to draw. Null takes the model's own default.</summary>
/// <param name="Count">Number of pictures.</param>
/// <param name="Seed">Picture i is drawn from the generator of seed + i: it does not depend on the others.</param>
/// <param name="Class">Index of the class; null draws without one.</param>
/// <param name="Scheduler">A scheduler's name; null takes the one of the folder.</param>
/// <param name="Eta">DDIM's share of fresh noise, 0 to 1.</param>
public sealed record DiffusionRequest(int Count, long Seed, long? Class = null, int? Steps = null, double? GuidanceScale = null, string? Scheduler = null, double Eta = 0);

/// <summary>A diffusion model in pixel space with an unconditional or class-conditional U-Net: diffusers' <c>DDPMPipeline</c> and <c>DDIMPipeline</c>.</summary>
public sealed class DiffusionPipeline : IClassPipeline
{
    private const int DefaultSteps = 25;

    public DiffusionPipeline(UNet2DModel network, SchedulerConfig scheduler, ModelDefaults defaults)
    {
        (Network, Scheduler, Defaults) = (network, scheduler, defaults);
        network.eval();
    }

    public UNet2DModel Network { get; }

    public SchedulerConfig Scheduler { get; }

    public ModelDefaults Defaults { get; }

    public int? Classes => Network.Config.NumClassEmbeds is { } rows ? Defaults.Classes?.Count ?? rows : null;

    public int PictureSize => Defaults.Size ?? Network.Config.SampleSize?.Height ?? throw new BrumaException("the model names no picture size: its unet/config.json needs sample_size.");

    public (int Steps, double GuidanceScale) Standard => (Defaults.Steps ?? DefaultSteps, Defaults.GuidanceScale ?? 1);

    /// <summary>Reads a folder with <c>model_index.json</c>, <c>unet/</c>, <c>scheduler/</c> and, where Bruma wrote it, <c>bruma.json</c>.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="dtype">The type to compute in.</param>
    public static DiffusionPipeline Load(string folder, ScalarType dtype = ScalarType.Float32)
    {
        var index = Path.Combine(folder, "model_index.json");
        if (!File.Exists(index))
            throw new BrumaException($"{folder}: no model_index.json there; give a model folder (bruma models list shows the ones at hand).");
        using var json = PythonJson.ParseFile(index);
        var name = json.RootElement.TryGetProperty("_class_name", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (name is not ("DDPMPipeline" or "DDIMPipeline"))
            throw new BrumaException($"{index}: the pipeline is {name ?? "not named"}; this command draws with DDPMPipeline and DDIMPipeline folders.");

        var defaults = ModelDefaults.Read(folder);
        var scheduler = SchedulerConfig.Load(Path.Combine(folder, "scheduler", "scheduler_config.json"));
        var network = UNet2DModel.Load(Path.Combine(folder, "unet"));
        network.to(dtype);
        return new DiffusionPipeline(network, scheduler, defaults);
    }

    /// <summary>Writes the folder that <see cref="Load"/> and diffusers read.</summary>
    /// <param name="weights">The network's weights by key, in the type to store; null takes the network's own.</param>
    public void Save(string folder, IEnumerable<KeyValuePair<string, Tensor>>? weights = null)
    {
        Network.Save(Path.Combine(folder, "unet"), weights);
        Scheduler.Save(Path.Combine(folder, "scheduler", "scheduler_config.json"));
        Defaults.Write(folder);
        AtomicFile.WriteText(Path.Combine(folder, "model_index.json"), $$"""
            {
              "_class_name": "DDPMPipeline",
              "_diffusers_version": "{{NetworkFiles.FormatVersion}}",
              "scheduler": ["diffusers", "{{Scheduler.ClassName}}"],
              "unet": ["diffusers", "UNet2DModel"]
            }

            """);
    }

    /// <summary>Draws pictures from noise.</summary>
    /// <returns>[N, C, H, W], clamped to [-1, 1], fp32.</returns>
    public Tensor Generate(DiffusionRequest request, Action<DenoisingStep>? onStep = null, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var size = PictureSize;
        var noise = new PictureNoise(request.Seed, request.Count);
        var config = request.Scheduler is null ? Scheduler : SchedulerNames.Find(request.Scheduler, Scheduler);
        using var scheduler = Schedulers.Scheduler.Create(config, request.Steps ?? Standard.Steps, new SchedulerOptions(request.Eta));
        var start = noise.Draw([request.Count, Network.Config.InChannels, size, size]);
        var network = Guided(request.Class, request.GuidanceScale ?? (request.Class is null ? 1 : Standard.GuidanceScale));
        return DenoisingLoop.Run(network, scheduler, start, noise.Draw, onStep, cancellationToken).clamp(-1, 1).MoveToOuterDisposeScope();
    }

    /// <summary>The network as a function, with the class and, above a scale of 1, classifier-free guidance (arXiv:2207.12598).</summary>
    public DenoisingNetwork Guided(long? label, double scale)
    {
        if (Network.Config.NumClassEmbeds is not { } rows)
            return label is null ? (sample, timesteps) => Float(Network.forward(sample, timesteps, null)) : throw new BrumaException("the model has no classes; leave --class out.");
        var nullClass = rows > (Defaults.Classes?.Count ?? rows) ? rows - 1 : (long?)null;
        if (label is null && nullClass is null)
            throw new BrumaException("the model was trained without a null class; choose one of its classes with --class.");
        if (label is null || scale == 1 || nullClass is null)
            return (sample, timesteps) => Labelled(sample, timesteps, label ?? nullClass!.Value);

        return (sample, timesteps) =>
        {
            using var scope = NewDisposeScope();
            var count = sample.shape[0];
            var labels = cat([full([count], nullClass.Value, int64), full([count], label.Value, int64)]);
            var both = Float(Network.forward(cat([sample, sample]), cat([timesteps, timesteps]), labels)); // [2B, C, H, W]
            return ClassifierFreeGuidance.Combine(both[..(int)count], both[(int)count..], scale).MoveToOuterDisposeScope();
        };
    }

    public void Dispose() => Network.Dispose();

    private Tensor Labelled(Tensor sample, Tensor timesteps, long label)
    {
        using var scope = NewDisposeScope();
        return Float(Network.forward(sample, timesteps, full([sample.shape[0]], label, int64))).MoveToOuterDisposeScope();
    }

    private static Tensor Float(Tensor prediction) => prediction.to(float32);

    /// <summary>One generator per picture, so that picture i is the same whatever its neighbours.</summary>
    private sealed class PictureNoise(long seed, int count)
    {
        private readonly Generator[] _generators = [.. Enumerable.Range(0, count).Select(i => new Generator((ulong)(seed + i), CPU))];

        public Tensor Draw(long[] shape)
        {
            using var scope = NewDisposeScope();
            return stack([.. _generators.Select(generator => randn(shape[1..], generator: generator))]).MoveToOuterDisposeScope();
        }
    }
}
