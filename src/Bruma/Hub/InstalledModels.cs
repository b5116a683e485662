using System.Text.Json;

namespace Bruma.Hub;

/// <summary>A model's folder under the name that people type, with one line about it (empty where the model says nothing).</summary>
public sealed record InstalledModel(string Name, string Folder, string Description);

/// <summary>The models beside the program (<c>models/</c>) and in the folders that <c>BRUMA_MODELS</c> names.</summary>
public static class InstalledModels
{
    private static readonly string[] Marks = ["bruma.json", "model_index.json", "config.json"];

    /// <summary>The folders that are searched; later ones do not hide earlier ones.</summary>
    public static IReadOnlyList<string> Roots =>
        [Path.Combine(AppContext.BaseDirectory, "models"), .. (Environment.GetEnvironmentVariable("BRUMA_MODELS") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    public static IReadOnlyList<InstalledModel> All() => In(Roots);

    /// <summary>The folder of the model of a name; null where none is installed.</summary>
    public static string? Find(string name) => All().FirstOrDefault(model => model.Name == name)?.Folder;

    /// <summary>Every folder directly below a root that holds <c>bruma.json</c>, <c>model_index.json</c> or <c>config.json</c>, by name.</summary>
    public static IReadOnlyList<InstalledModel> In(IEnumerable<string> roots) =>
    [
        .. roots.Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories)
            .Where(folder => Array.Exists(Marks, mark => File.Exists(Path.Combine(folder, mark))))
            .Select(folder => new InstalledModel(Path.GetFileName(folder), folder, Describe(folder)))
            .DistinctBy(model => model.Name)
            .OrderBy(model => model.Name, StringComparer.Ordinal),
    ];

    /// <summary>The description in bruma.json, else the class that the model's own files name. A damaged file is no reason not to list the others.</summary>
    private static string Describe(string folder)
    {
        try
        {
            foreach (var file in Marks.Select(mark => Path.Combine(folder, mark)).Where(File.Exists))
            {
                using var json = PythonJson.ParseFile(file);
                foreach (var key in new[] { "description", "_class_name", "model_type" })
                    if (json.RootElement.TryGetProperty(key, out var text) && text.ValueKind == JsonValueKind.String)
                        return text.GetString()!.ReplaceLineEndings(" ");
            }
            return "";
        }
        catch (BrumaException e)
        {
            return e.Message;
        }
    }
}
