using Bruma.Hub;

namespace Bruma.Cli;

/// <summary>Finds model folders: a path, a run's folder, or the name of a model beside the program.</summary>
internal static class ModelPath
{
    public const string Default = "fashion";

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
        if (Directory.Exists(Path.Combine(model, "checkpoints")))
            throw new BrumaException($"{model}: the run is not finished and has no model yet; finish it with bruma resume {model}.");
        if (Directory.Exists(model))
            throw new BrumaException($"{model}: no model_index.json there; give a diffusers model folder or a finished run.");
        throw new BrumaException($"{model}: no such model; give a folder{(installed.Count > 0 ? $", or one of {string.Join(", ", installed.Select(known => known.Name))}" : "")}.");
    }
}
