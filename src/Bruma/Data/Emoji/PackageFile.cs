using System.Text.Json;

namespace Bruma.Data.Emoji;

/// <summary>A file of an npm package, with errors that name it.</summary>
internal static class PackageFile
{
    /// <exception cref="BrumaException">The file is missing or no JSON.</exception>
    public static JsonDocument Json(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonDocument.Parse(stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BrumaException($"{path}: cannot be read as JSON ({e.Message.TrimEnd('.')}); install the package again.", e);
        }
    }

    /// <summary>The version of an installed package.</summary>
    /// <param name="modules">The folder <c>node_modules</c>.</param>
    /// <exception cref="BrumaException">The package is not there.</exception>
    public static string Version(string modules, string package)
    {
        var path = Path.Combine(modules, package, "package.json");
        if (!File.Exists(path))
            throw new BrumaException($"{path}: no such file; --packages must be a node_modules folder with {package}, or leave it out to let npm install it.");
        using var json = Json(path);
        return json.RootElement.GetProperty("version").GetString()!;
    }
}
