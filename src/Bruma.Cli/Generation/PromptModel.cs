using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Cli.Generation;

/// <summary>A pipeline with everything that the arguments add to it.</summary>
internal sealed class PromptModel : IDisposable
{
    /// <summary>As A1111 and stable-diffusion.cpp have it, where the model says nothing.</summary>
    private const int StandardSteps = 20;
    private const double StandardScale = 7;
    private const double StandardStrength = 0.75;

    private readonly GenerateArguments _arguments;
    private readonly List<ControlInput> _controls = [];
    private StableDiffusionPipeline? _refiner;

    private PromptModel(GenerateArguments arguments, StableDiffusionPipeline pipeline) => (_arguments, Pipeline) = (arguments, pipeline);

    public StableDiffusionPipeline Pipeline { get; }

    public static PromptModel Load(GenerateArguments arguments, string model, IReadOnlyList<PromptAdapter> prompted)
    {
        var dtype = arguments.Precision == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32;
        var loaded = new PromptModel(arguments, StableDiffusionPipeline.Load(model, new PipelineOptions(dtype)));
        try
        {
            loaded.Add(prompted, dtype);
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    public ImageRequest Request()
    {
        var (arguments, standard) = (_arguments, Pipeline.Standard);
        var own = Pipeline.Defaults;
        var distilled = Pipeline.Network.Config.TimeCondProjDim is not null;
        return new ImageRequest
        {
            NegativePrompt = arguments.NegativePrompt,
            Prompt2 = arguments.Prompt2,
            NegativePrompt2 = arguments.NegativePrompt2,
            Width = arguments.Width,
            Height = arguments.Height,
            Steps = arguments.Steps ?? own.Steps ?? (distilled ? standard.Steps : StandardSteps),
            GuidanceScale = arguments.GuidanceScale ?? own.GuidanceScale ?? (distilled ? standard.GuidanceScale : StandardScale),
            GuidanceRescale = arguments.GuidanceRescale,
            Seed = arguments.Seed,
            Count = arguments.Count,
            Random = arguments.Random,
            Variation = arguments.Variation,
            Scheduler = Scheduler(),
            Eta = arguments.Eta,
            ClipSkip = arguments.ClipSkip == 0 ? null : arguments.ClipSkip,
            Syntax = arguments.Syntax,
            Start = Start(arguments.Pictures),
            Controls = _controls,
            GuessMode = arguments.GuessMode,
            HighResolution = arguments.HighResolution,
            Tiling = arguments.Tiling,
            DenoisingEnd = arguments.Refiner?.Start,
        };
    }

    /// <summary>The pictures, one after the other; with a refiner its pictures.</summary>
    public IEnumerable<GeneratedImage> Draw(string prompt, ImageRequest request, Action<GenerationStep>? onStep, IProgress<GenerationProgress> progress, CancellationToken cancellation) =>
        _refiner is null ? Pipeline.Generate(prompt, request, onStep, progress, cancellation) : Pipeline.GenerateRefined(_refiner, prompt, request, onStep, progress, cancellation);

    public void Dispose()
    {
        Pipeline.Dispose();
        _refiner?.Dispose();
        foreach (var control in _controls)
        {
            control.Network.Dispose();
            control.Picture.Dispose();
        }
    }

    private void Add(IReadOnlyList<PromptAdapter> prompted, ScalarType dtype)
    {
        if (_arguments.Autoencoder is { } vae)
            Pipeline.ReplaceAutoencoder(new NamedFile(vae));
        var adapters = AdapterPath.All(_arguments.Loras, prompted, _arguments.LoraFolder);
        if (adapters.Count > 0)
            Pipeline.AddAdapters(adapters);
        foreach (var (path, word) in _arguments.Embeddings.Select(AdapterPath.Embedding))
            Pipeline.AddEmbedding(path, word);
        foreach (var control in _arguments.Controls)
        {
            var folder = ModelPath.Component(control.Model, "--control");
            var network = ControlNetModel.Load(folder);
            network.to(dtype);
            _controls.Add(new ControlInput(network, ImageFile.Load(control.Image).DetachFromDisposeScope(), control.Strength, control.Start, control.End, new NamedFile(control.Model, Path.GetFullPath(folder)), control.Image));
        }
        if (_arguments.Refiner is { } refiner)
            _refiner = StableDiffusionPipeline.Load(ModelPath.FindAny(refiner.Model), new PipelineOptions(dtype));
    }

    private SchedulerConfig? Scheduler()
    {
        var config = _arguments.Scheduler is { } name ? SchedulerNames.Find(name, Pipeline.Scheduler) : null;
        return _arguments.Prediction?.ToLowerInvariant() switch
        {
            null => config,
            "epsilon" or "eps" => (config ?? Pipeline.Scheduler) with { PredictionType = PredictionType.Epsilon },
            "v" or "v_prediction" => (config ?? Pipeline.Scheduler) with { PredictionType = PredictionType.VPrediction },
            var other => throw new UsageException($"--prediction {other}: must be epsilon or v."),
        };
    }

    private static StartImage? Start(PictureArguments pictures)
    {
        if (pictures.Image is not { } file)
            return null;
        var picture = ImageFile.Load(file);
        var mask = pictures.Mask is { } maskFile ? MaskImage.Load(maskFile) : null;
        return new StartImage(picture, pictures.Strength ?? (mask is null ? StandardStrength : 1), mask, pictures.ImageGuidanceScale ?? 1.5, file, pictures.Mask);
    }
}
