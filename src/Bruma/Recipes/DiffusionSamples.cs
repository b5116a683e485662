using System.Globalization;
using Bruma.Diffusion;
using Bruma.Imaging;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Samples of a pixel diffusion model: all its classes in turn, with the model's own steps and guidance unless others are asked for.</summary>
public sealed class DiffusionSamples : ISampleModel
{
    private const int LargestRow = 32;

    private readonly DiffusionPipeline _pipeline;
    private readonly int _row;
    private readonly DrawSettings _settings;

    /// <param name="row">Neighbours in the set that share a class, so that they can be drawn together.</param>
    /// <param name="settings">Null takes the model's own.</param>
    public DiffusionSamples(DiffusionPipeline pipeline, int row, DrawSettings? settings = null) => (_pipeline, _row, _settings) = (pipeline, row, settings ?? new DrawSettings());

    public string Settings => FormattableString.Invariant($"{_settings.Scheduler ?? _pipeline.Scheduler.ClassName}, {_settings.Steps ?? _pipeline.Standard.Steps} steps, guidance {(Classes > 0 ? _settings.GuidanceScale ?? _pipeline.Standard.GuidanceScale : 1)}{(Classes > 0 ? $", {Classes} classes in turn" : "")}");

    public bool TakesPrompts => false;

    private int Classes => _pipeline.Classes ?? 0;

    public static ISampleModel Open(string folder, int count, DrawSettings settings)
    {
        var pipeline = DiffusionPipeline.Load(folder, ComputePrecision.TypeOf(ComputePrecision.Default));
        var samples = new DiffusionSamples(pipeline, 1, settings);
        if (samples.Classes == 0 && settings.GuidanceScale is { } scale and not 1)
            throw new BrumaException($"--guidance-scale {scale.ToString(CultureInfo.InvariantCulture)}: {folder} draws without classes, so there is nothing to guide to; leave it out.");
        return samples.Classes == 0 ? samples : new DiffusionSamples(pipeline, Math.Clamp(count / samples.Classes, 1, LargestRow), settings);
    }

    public Tensor Draw(int first, int count, long seed, IReadOnlyList<string>? prompts = null)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (var at = first; at < first + count;)
        {
            var end = Classes == 0 ? first + count : Math.Min(first + count, (at / _row + 1) * _row);
            parts.Add(ImageTensor.ToBytes(_pipeline.Generate(new DiffusionRequest(end - at, seed + at, Classes == 0 ? null : at / _row % Classes, _settings.Steps, _settings.GuidanceScale, _settings.Scheduler))));
            at = end;
        }
        return cat(parts).MoveToOuterDisposeScope();
    }

    public void Dispose() => _pipeline.Dispose();
}
