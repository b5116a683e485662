using System.Text.Json;
using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Draws a recorded picture again.</summary>
public sealed class ImageReplay : IDisposable
{
    private readonly GenerationRecord _record;
    private readonly StableDiffusionPipeline _pipeline;
    private readonly List<ControlInput> _controls = [];
    private StartImage? _start;
    private StableDiffusionPipeline? _refiner;

    private ImageReplay(GenerationRecord record, StableDiffusionPipeline pipeline) => (_record, _pipeline) = (record, pipeline);

    /// <summary>Loads all that took part and checks that it is still the same.</summary>
    /// <param name="model">The model in place of where the record says.</param>
    /// <exception cref="BrumaException">Something is missing or has changed.</exception>
    public static ImageReplay Load(GenerationRecord record, string? model = null)
    {
        var path = Unchanged(model is null ? record.Model : record.Model with { Name = model, Path = model }, "model");
        var dtype = record.Precision == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32;
        var replay = new ImageReplay(record, StableDiffusionPipeline.Load(path, new PipelineOptions(dtype)));
        try
        {
            replay.Add(dtype);
            return replay;
        }
        catch
        {
            replay.Dispose();
            throw;
        }
    }

    /// <summary>The picture; on the same machine with the same threads its pixels are the same.</summary>
    public GeneratedImage Draw(IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        (_refiner is null ? _pipeline.Generate(_record.Prompt, Request(), null, progress, cancellationToken) : _pipeline.GenerateRefined(_refiner, _record.Prompt, Request(), null, progress, cancellationToken)).Single();

    public void Dispose()
    {
        _pipeline.Dispose();
        _refiner?.Dispose();
        foreach (var control in _controls)
        {
            control.Network.Dispose();
            control.Picture.Dispose();
        }
        _start?.Pixels.Dispose();
        _start?.Mask?.Dispose();
    }

    private void Add(ScalarType dtype)
    {
        if (_record.Autoencoder is { } autoencoder)
            _pipeline.ReplaceAutoencoder(autoencoder with { Path = Unchanged(autoencoder, "autoencoder") });
        if (_record.Refiner is { } refiner)
            _refiner = StableDiffusionPipeline.Load(Unchanged(refiner, "refiner"), new PipelineOptions(dtype));
        if (_record.Adapters is { } adapters)
            _pipeline.AddAdapters([.. adapters.Select(adapter => adapter with { Path = Unchanged(adapter, "adapter") })]);
        foreach (var embedding in _record.Embeddings ?? [])
            _pipeline.AddEmbedding(Unchanged(embedding, "embedding"), embedding.Name);
        foreach (var control in _record.Controls ?? [])
        {
            var network = ControlNetModel.Load(Unchanged(control.Model, "ControlNet"));
            network.to(dtype);
            _controls.Add(new ControlInput(network, Picture(control.Picture, mask: false), control.Strength, control.Start, control.End, control.Model, control.Picture.Name));
        }
        if (_record.Start is { } start)
            _start = new StartImage(Picture(start.Picture, mask: false), start.Strength, start.Mask is { } mask ? Picture(mask, mask: true) : null, start.ImageGuidanceScale, start.Picture.Name, start.Mask?.Name);
    }

    private ImageRequest Request() => new()
    {
        NegativePrompt = _record.NegativePrompt,
        Prompt2 = _record.Prompt2,
        NegativePrompt2 = _record.NegativePrompt2,
        Width = _record.FirstWidth ?? _record.Width,
        Height = _record.FirstHeight ?? _record.Height,
        Steps = _record.Steps,
        GuidanceScale = _record.GuidanceScale,
        GuidanceRescale = _record.GuidanceRescale,
        Seed = _record.Seed,
        Random = _record.Random,
        Variation = _record.Variation,
        Scheduler = SchedulerConfig.Read(JsonSerializer.SerializeToElement(_record.Scheduler)),
        Timesteps = _record.Timesteps,
        Eta = _record.Eta,
        ClipSkip = _record.ClipSkip,
        Syntax = _record.Syntax,
        Start = _start,
        Controls = _controls,
        GuessMode = _record.GuessMode,
        Sizes = _record.Sizes ?? new XlSizes(),
        DenoisingEnd = _record.DenoisingEnd,
        HighResolution = _record.HighResolution,
        Tiling = _record.Tiling,
    };

    /// <summary>Where a file is, if it is still what it was.</summary>
    private static string Unchanged(NamedFile file, string what)
    {
        var path = new[] { file.Path, file.Name }.FirstOrDefault(path => path is not null && (File.Exists(path) || Directory.Exists(path)))
            ?? throw new BrumaException($"the {what} {file.Name} is no longer at {file.Path ?? "its place"}; put it back{(what == "model" ? " or name it with --model" : "")}.");
        if (file.Sha256 is { } sum && WeightsHash.Of(path) is { } now && now != sum)
            throw new BrumaException($"the {what} {path} has changed since the picture was drawn (its SHA-256 begins with {now[..10]}, then with {sum[..10]}); it would give another picture.");
        return path;
    }

    private static Tensor Picture(PictureReference reference, bool mask)
    {
        if (reference.Name is not { } file)
            throw new BrumaException("the picture was drawn from another that never was a file, so it cannot be drawn again.");
        var pixels = mask ? MaskImage.Load(file) : ImageFile.Load(file);
        if (GenerationRecord.PictureOf(pixels, file).Sha256 != reference.Sha256)
            throw new BrumaException($"{file}: has changed since the picture was drawn from it.");
        return pixels.DetachFromDisposeScope();
    }
}
