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
        if (HubReference.IsHub(asked))
            asked = asked[HubReference.Prefix.Length..];
        if (Directory.Exists(asked))
            return File.Exists(Path.Combine(asked, "model", "config.json")) ? Path.Combine(asked, "model") // a run, whose own config.json is another
                : File.Exists(Path.Combine(asked, "config.json")) ? asked
                : throw new BrumaException($"{asked}: no config.json there; give the folder of a model.");
        var name = asked.Split('/')[^1];
        var shared = SharedFolder.Find(AppContext.BaseDirectory, "models");
        foreach (var folder in new[] { shared is null ? null : Path.Combine(shared, name), InstalledModels.Find(name), HubDownload.Cached(asked) })
            if (folder is not null && File.Exists(Path.Combine(folder, "config.json")))
                return folder;
        return FromHub(asked, asked.Contains('/', StringComparison.Ordinal) ? asked : Sentences);
    }

    /// <summary>Fetches what is named owner/name; where there is no network, one sentence says how else to get it.</summary>
    private static string FromHub(string asked, string id)
    {
        var settings = new HubSettings();
        var missing = $"{asked}: no folder of that name, and neither BRUMA_SHARED, the models beside the program nor the hub's cache ({settings.Cache}) has it; fetch it with \"hf download {id}\" or give a folder with --model.";
        if (asked != id || settings.IsOffline || HubReference.Find(HubReference.Prefix + id) is not { } reference)
            throw new BrumaException(missing);
        try
        {
            Console.Error.WriteLine($"{id}: fetching it from the hub");
            return HubDownload.Model(reference, settings: settings).GetAwaiter().GetResult();
        }
        catch (BrumaException e)
        {
            throw new BrumaException($"{missing} The hub: {e.Message}", e);
        }
    }
}
