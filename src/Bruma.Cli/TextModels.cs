using Bruma.Hub;
using Bruma.Verification;

namespace Bruma.Cli;

/// <summary>Finds models of texts: a folder, or a name among the shared models, those beside the program and the hub's cache.</summary>
internal static class TextModels
{
    public const string Sentences = "sentence-transformers/all-MiniLM-L6-v2";

    public const string Static = "wordllama-256";

    /// <exception cref="BrumaException">Nothing of that name is there.</exception>
    public static string Find(string? model, string byDefault = Sentences)
    {
        var asked = model ?? byDefault;
        if (Directory.Exists(asked))
            return File.Exists(Path.Combine(asked, "config.json")) ? asked
                : File.Exists(Path.Combine(asked, "model", "config.json")) ? Path.Combine(asked, "model")
                : throw new BrumaException($"{asked}: no config.json there; give the folder of a model.");
        var name = asked.Split('/')[^1];
        var shared = SharedFolder.Find(AppContext.BaseDirectory, "models");
        foreach (var folder in new[] { shared is null ? null : Path.Combine(shared, name), InstalledModels.All().FirstOrDefault(known => known.Name == name)?.Folder, HubDownload.Cached(asked) })
            if (folder is not null && File.Exists(Path.Combine(folder, "config.json")))
                return folder;
        throw new BrumaException($"{asked}: no folder of that name, and neither BRUMA_SHARED, the models beside the program nor the hub's cache ({new HubSettings().Cache}) has it; fetch it with \"hf download {(asked.Contains('/', StringComparison.Ordinal) ? asked : Sentences)}\" or give a folder with --model.");
    }
}
