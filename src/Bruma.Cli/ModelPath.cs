using Bruma.Diffusion;
using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Cli;

/// <summary>Finds models: a path, a run's folder, or the name of a model beside the program.</summary>
internal static class ModelPath
{
    public const string Default = "fashion";

    private const string PromptModel = "emoji";

    private const string Hub = "hf:";
    private const string DiffusionTransformer = "DiTPipeline";

    /// <summary>A folder of a pipeline.</summary>
    /// <exception cref="BrumaException">Nothing of that name is there.</exception>
    public static string Find(string? model)
    {
        model ??= Default;
        if (HubReference.IsHub(model))
            return Commands.ModelsHub.Fetch(model, null, CancellationToken.None).GetAwaiter().GetResult();
        foreach (var folder in new[] { model, Path.Combine(model, "model") })
            if (File.Exists(Path.Combine(folder, "model_index.json")))
                return folder;
        var installed = InstalledModels.All();
        if (installed.FirstOrDefault(known => known.Name == model) is { } found)
            return found.Folder;
        if (RunFolder.IsRun(model))
            throw RunFolder.HasNoModel(model);
        if (Directory.Exists(model))
            throw new BrumaException($"{model}: no model_index.json there; give a diffusers model folder or a finished run.");
        throw new BrumaException($"{model}: no such model; give a folder, a file, hf:ORG/NAME{(installed.Count > 0 ? $", or one of {string.Join(", ", installed.Select(known => known.Name))}" : "")}.");
    }

    /// <summary>The same, or a single file: what is adapted.</summary>
    public static string FindBase(string? model) => File.Exists(model) ? model : Find(model);

    /// <summary>The same, or a single file, or a model of a hub.</summary>
    public static string FindAny(string model) => File.Exists(model) || model.StartsWith(Hub, StringComparison.Ordinal) ? model : Find(model);

    /// <summary>The model for prompts that comes with the program, or else the first installed one that takes them.</summary>
    public static string DefaultForPrompts() =>
        InstalledModels.All().OrderByDescending(model => model.Name == PromptModel).FirstOrDefault(model => new ModelSources(model.Folder).ClassName is { } name && StableDiffusionPipeline.Knows(name))?.Folder
        ?? throw new UsageException("no model that takes a prompt comes with this program; name one with --model, for example a checkpoint from Hugging Face or Civitai.");

    /// <summary>Whether a model draws by class or without a condition, not from prompts.</summary>
    public static bool DrawsByClass(string model) => Directory.Exists(model) && new ModelSources(model).ClassName is "DDPMPipeline" or "DDIMPipeline" or DiffusionTransformer;

    /// <summary>A model of which <see cref="DrawsByClass"/> is true.</summary>
    public static IClassPipeline OpenByClass(string model, ScalarType dtype)
    {
        var sources = new ModelSources(model);
        return sources.ClassName == DiffusionTransformer ? DiTPipeline.Load(sources, dtype) : DiffusionPipeline.Load(model, dtype);
    }

    /// <summary>The folder of one network: itself, or that of the run that trained it.</summary>
    public static string Component(string folder, string flag)
    {
        if (File.Exists(Path.Combine(folder, "model", "config.json")))
            return Path.Combine(folder, "model");
        if (RunFolder.IsRun(folder))
            throw Directory.Exists(Path.Combine(folder, "model")) ? new BrumaException($"{flag} {folder}: this run trained something else; give one of bruma train controlnet.") : RunFolder.HasNoModel(folder, flag);
        return File.Exists(Path.Combine(folder, "config.json")) ? folder : throw new BrumaException($"{flag} {folder}: no config.json there; give the network's folder in diffusers' layout, or a run of bruma train controlnet.");
    }
}
