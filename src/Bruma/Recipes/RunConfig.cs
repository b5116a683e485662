using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bruma.Hub;

namespace Bruma.Recipes;

/// <summary>What the options of every recipe share: refusing a value by its option's name, and reading a run's <c>config.json</c>.</summary>
internal static class RunConfig
{
    public static void Require<T>(bool condition, string option, T found, string expected)
    {
        if (!condition)
            throw new BrumaException(FormattableString.Invariant($"{option} {found}: must be {expected}."));
    }

    /// <summary>The recipe that a run's configuration names; null where it names none.</summary>
    public static string? RecipeOf(string path)
    {
        using var json = PythonJson.ParseFile(path);
        return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("recipe", out var name) ? name.GetString() : null;
    }

    /// <exception cref="BrumaException">The file is missing, or not the configuration of a run of this recipe.</exception>
    public static T Read<T>(string path, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type)!;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BrumaException($"{path}: not the configuration of a run ({e.Message.TrimEnd('.')}); give the folder that bruma train wrote.", e);
        }
    }
}
