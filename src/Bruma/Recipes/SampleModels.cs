using System.Text.Json;
using Bruma.Gans;
using Bruma.Hub;
using Bruma.StableDiffusion;

namespace Bruma.Recipes;

/// <summary>Opens a model folder or a finished run as a source of samples, by the class in its <c>model_index.json</c>.</summary>
public static class SampleModels
{
    private static readonly Dictionary<string, Func<string, int, DrawSettings, ISampleModel>> Families = new(StringComparer.Ordinal)
    {
        ["DDPMPipeline"] = DiffusionSamples.Open,
        ["DDIMPipeline"] = DiffusionSamples.Open,
        ["StableDiffusionPipeline"] = (folder, _, settings) => StableDiffusionSamples.Open(folder, settings),
        ["StableDiffusionXLPipeline"] = (folder, _, settings) => StableDiffusionSamples.Open(folder, settings),
        ["LatentConsistencyModelPipeline"] = (folder, _, settings) => StableDiffusionSamples.Open(folder, settings),
        [GanPipeline.ClassName] = (folder, _, settings) => settings.IsEmpty ? GanSamples.Open(folder) : throw new BrumaException($"{folder}: a GAN draws in one step, without guidance or scheduler; leave --steps, --guidance-scale and --scheduler out."),
    };

    /// <summary>The model's folder behind a name: a folder, a run, or an installed model; null when it is none of these.</summary>
    public static string? Find(string name)
    {
        foreach (var folder in new[] { name, Path.Combine(name, "model") })
            if (File.Exists(Path.Combine(folder, "model_index.json")))
                return folder;
        return !Directory.Exists(name) && InstalledModels.Find(name) is { } installed && File.Exists(Path.Combine(installed, "model_index.json")) ? installed : null;
    }

    /// <param name="folder">What <see cref="Find"/> gave.</param>
    /// <param name="count">Pictures that will be drawn, so that classes are even.</param>
    /// <param name="settings">Null takes the model's own.</param>
    /// <exception cref="BrumaException">The model is damaged or of a family that draws no samples.</exception>
    public static ISampleModel Open(string folder, int count, DrawSettings? settings = null)
    {
        var index = Path.Combine(folder, "model_index.json");
        using var json = PythonJson.ParseFile(index);
        var name = json.RootElement.TryGetProperty("_class_name", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "not named";
        return Families.TryGetValue(name, out var open)
            ? open(folder, count, settings ?? new DrawSettings())
            : throw new BrumaException($"{index}: the pipeline is {name}; samples are drawn from {string.Join(", ", Families.Keys)}. Draw them with bruma generate and give the folder of pictures.");
    }

    /// <summary>SHA-256 over the model's files: what its pictures depend on.</summary>
    public static string HashOf(string folder)
    {
        var files = new ModelSources(folder).Folders.SelectMany(place => Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories)).Where(file => Path.GetExtension(file) is ".json" or ".safetensors" or ".bin").Order(StringComparer.Ordinal);
        var text = string.Join('\n', files.Select(file => $"{Path.GetRelativePath(folder, file)} {FileHash.Sha256(file)}"));
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
    }
}
