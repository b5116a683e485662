using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Training;

namespace Bruma.Recipes.Adaptation;

/// <summary>A model that was adapted to pictures, with what is known of how: what a finished run made, or a folder that builds on another model.</summary>
/// <param name="Folder">Of the model.</param>
/// <param name="Run">Null where the model came without its run.</param>
internal sealed record AdaptedModel(AdaptationOptions Options, string Folder, RunFolder? Run)
{
    /// <param name="name">Folder of a finished run; with <paramref name="data"/>, a model's folder or the name of an installed model.</param>
    /// <param name="data">Folder of the pictures that the model was adapted to; null for a run, which says it itself.</param>
    /// <exception cref="BrumaException">There is no such run or model, or nothing to compare it with.</exception>
    public static AdaptedModel Open(string name, string? data)
    {
        var isRun = RunFolder.IsRun(name) || File.Exists(Path.Combine(name, "config.json"));
        if (data is null)
            return isRun || SampleModels.Find(name) is null ? OfRun(name) : throw new BrumaException($"{name}: a model, not a run; say with --data what pictures it was adapted to.");
        return isRun ? throw new BrumaException($"--data {data}: {name} is a run, which says itself what it was trained on; leave --data out.") : OfModel(name, data);
    }

    private static AdaptedModel OfRun(string folder)
    {
        var run = RunFolder.Open(folder);
        var (config, recipe) = (run.Config, RunConfig.RecipeOf(run.Config));
        if (recipe is null || !AdaptationOptions.Recipes.Contains(recipe))
            throw new BrumaException($"{config}: \"recipe\" is {recipe ?? "missing"}; reports are made of runs of {string.Join(", ", AdaptationOptions.Recipes)}. Measure others with bruma evaluate.");
        return Directory.Exists(run.Model) ? new AdaptedModel(AdaptationOptions.Read(config), run.Model, run) : throw RunFolder.HasNoModel(folder);
    }

    private static AdaptedModel OfModel(string name, string data)
    {
        var folder = SampleModels.Find(name) ?? throw new BrumaException($"{name}: neither a run nor a model; give a folder with model_index.json or the name of an installed model (bruma models list).");
        var files = new ModelSources(folder);
        if (!StableDiffusionPipeline.Knows(files.ClassName))
            throw new BrumaException($"{folder}: the pipeline is {files.ClassName}; only text-to-image models are adapted to pictures. Measure others with bruma evaluate.");
        var other = files.Base ?? throw new BrumaException($"{folder}: names no model that it builds on (\"{ModelSources.BaseKey}\" of model_index.json), with which it could be compared; give the run that trained it.");
        return new AdaptedModel(new AdaptationOptions(AdaptationOptions.TextToImage, other, Path.GetFullPath(data), Resolution: Side(folder, files)), folder, null);
    }

    /// <summary>Of the model's pictures, in pixels.</summary>
    private static int Side(string folder, ModelSources files) =>
        ModelDefaults.Read(folder).Size ?? (int)(UNet2DConditionModel.ReadConfig(files.PathOf("unet")).SampleSize?.Height ?? 64) * AutoencoderKl.ReadConfig(files.PathOf("vae")).Reduction;
}
