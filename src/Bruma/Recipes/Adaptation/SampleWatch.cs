using Bruma.Data;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Samples of the weights as they stand, always of the same captions and noise: their KID to the watched photos, and how many are copies of the trained ones.</summary>
internal sealed class SampleWatch : IDisposable
{
    /// <summary>A model that copies more is none to choose.</summary>
    public const double MostCopies = 0.02;

    private const int Side = 64;
    private const double Worst = 1000; // above every KID

    private readonly BaseModel _model;
    private readonly AdaptationOptions _options;
    private readonly AdaptationData _data;
    private readonly ControlNetModel? _control;
    private readonly FeatureNetwork _network;
    private readonly Tensor _watched;
    private readonly Tensor _trained;

    private SampleWatch(BaseModel model, AdaptationOptions options, AdaptationData data, ControlNetModel? control)
    {
        (_model, _options, _data, _control, _network) = (model, options, data, control, FeatureNetworks.Open(options.EvaluateFeatures));
        using var scope = NewDisposeScope();
        var source = new SquaredSource(ImageSource.Open(options.Data), Side);
        using var features = new FeatureExtraction(_network, new FeatureCache(FeatureCache.DefaultRoot)).RunAll(source);
        var (names, share) = (features.Indices.Select(index => source.Examples[index].Name).ToList(), AdaptationData.Share(options, features.Count));
        Tensor Part(DataPart part) => features.Features.index_select(0, tensor(HashedParts.Places(names, share, part).Select(row => (long)row).ToArray()));
        (_watched, _trained) = (Part(DataPart.Validation).DetachFromDisposeScope(), Part(DataPart.Training).DetachFromDisposeScope());
    }

    /// <summary>Null where nothing is to be measured.</summary>
    public static SampleWatch? For(BaseModel model, AdaptationOptions options, AdaptationData data, ControlNetModel? control) =>
        options.EvaluateSamples == 0 ? null : new SampleWatch(model, options, data, control);

    /// <exception cref="BrumaException">Samples shall be measured, but too few pictures are watched, or there is no network to see them.</exception>
    public static void Require(AdaptationOptions options, AdaptationData data)
    {
        if (options.EvaluateSamples == 0)
            return;
        FeatureNetworks.Open(options.EvaluateFeatures).Dispose();
        if (data.Validation.Count < 2)
            throw new BrumaException($"--evaluate-samples {options.EvaluateSamples}: samples are measured against pictures that are not trained on, and {data.Validation.Count} are kept of {data.Training + data.Held}; give more pictures, a larger --validation-share, or leave it out.");
    }

    public (double Kid, double Copies) Measure()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var drawing = new Drawing(_model, _options.Resolution, _control);
        var (prompts, shown) = (_data.Subjects, _data.Shown(_options.EvaluateSamples));
        var pictures = Enumerable.Range(0, _options.EvaluateSamples).Select(i =>
        {
            using var one = NewDisposeScope();
            var (picture, prompt) = shown.Count > 0 ? shown[i % shown.Count] : (null, prompts[i % prompts.Count]);
            var drawn = drawing.Draw(prompt, i, picture is null ? null : ControlPictures.Values(picture));
            return CentralSquare.Of(drawn, Side, ResampleFilter.Bicubic).MoveToOuterDisposeScope();
        }).ToList();
        var features = TrainingMeasure.Features(_network, stack(pictures));
        using var nearest = Memorisation.NearestForCopies(features, _trained);
        return (KernelDistance.Polynomial(_watched, features), (Memorisation.CopyRatio(nearest) < Memorisation.CopyThreshold).to(float64).mean().item<double>());
    }

    /// <summary>Smaller is better: KID, or for a model that copies the share of copies on top of everything.</summary>
    public static double Score((double Kid, double Copies) found) => found.Copies > MostCopies ? Worst + found.Copies : found.Kid;

    public void Dispose()
    {
        _watched.Dispose();
        _trained.Dispose();
        _network.Dispose();
    }
}
