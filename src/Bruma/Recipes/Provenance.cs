using Bruma.Hub;

namespace Bruma.Recipes;

/// <summary>What a run's <c>provenance.json</c> says about its data.</summary>
internal static class Provenance
{
    /// <exception cref="BrumaException">The data has changed since the run began, so that resuming would give something else.</exception>
    public static void RequireSameData(string folder, string data, string sha256)
    {
        var path = Path.Combine(folder, "provenance.json");
        if (!File.Exists(path))
            return;
        using var json = PythonJson.ParseFile(path);
        if (json.RootElement.TryGetProperty("data_sha256", out var began) && began.GetString() is { Length: > 0 } sum && sum != sha256)
            throw new BrumaException($"{data}: is no longer what the run in {folder} began with (its SHA-256 differs from the one in provenance.json); bring the data back or begin a new run.");
    }
}
