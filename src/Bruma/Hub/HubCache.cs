namespace Bruma.Hub;

/// <summary>Reads the cache of the Hugging Face hub: <c>models--owner--name/snapshots/commit/</c>. Nothing is fetched.</summary>
public static class HubCache
{
    /// <summary><c>HF_HUB_CACHE</c>, else <c>HF_HOME/hub</c>, else the user's cache.</summary>
    public static string Root
    {
        get
        {
            if ((Variable("HF_HUB_CACHE") ?? Variable("HUGGINGFACE_HUB_CACHE")) is { } cache)
                return cache;
            var home = Variable("HF_HOME") ?? Path.Combine(Variable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "huggingface");
            return Path.Combine(home, "hub");
        }
    }

    /// <summary>The folder of a model's revision; null when it is not in the cache.</summary>
    /// <param name="id">Owner and name, as in <c>sentence-transformers/all-MiniLM-L6-v2</c>.</param>
    public static string? Find(string id, string revision = "main")
    {
        var model = Path.Combine(Root, $"models--{id.Replace("/", "--", StringComparison.Ordinal)}");
        var reference = Path.Combine(model, "refs", revision);
        var commit = File.Exists(reference) ? File.ReadAllText(reference).Trim() : revision;
        var snapshot = Path.Combine(model, "snapshots", commit);
        return Directory.Exists(snapshot) ? snapshot : null;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
        ? value.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), value[2..]) : value
        : null;
}
