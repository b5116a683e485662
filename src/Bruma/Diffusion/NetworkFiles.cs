using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>A network's folder: <c>config.json</c> and <c>diffusion_pytorch_model.safetensors</c>.</summary>
internal static class NetworkFiles
{
    /// <summary>The version of diffusers whose config keys are written.</summary>
    private const string FormatVersion = "0.39.0";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static T ReadConfig<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        using var json = PythonJson.ParseFile(path);
        var known = type.Properties.Select(property => property.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var property in json.RootElement.EnumerateObject())
            if (!known.Contains(property.Name) && !property.Name.StartsWith('_') && property.Value.ValueKind != JsonValueKind.Null)
                throw new BrumaException($"{path}: asks for \"{property.Name}\": {property.Value.GetRawText()}, which Bruma does not know; remove the key if it has no effect.");
        try
        {
            return json.RootElement.Deserialize(type)!;
        }
        catch (JsonException e)
        {
            throw new BrumaException($"{path}: the key \"{e.Path?.TrimStart('$', '.')}\" has a value of the wrong type ({e.Message.Split('\n')[0].TrimEnd('.')}).", e);
        }
    }

    /// <summary>Writes the keys in alphabetical order below the class, as diffusers does.</summary>
    public static void WriteConfig<T>(string path, T config, JsonTypeInfo<T> type, string className)
    {
        var keys = JsonSerializer.SerializeToNode(config, type)!.AsObject();
        var written = new JsonObject { ["_class_name"] = className, ["_diffusers_version"] = FormatVersion };
        foreach (var (key, value) in keys.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            written[key] = value?.DeepClone();
        AtomicFile.WriteText(path, written.ToJsonString(Indented) + "\n");
    }

    /// <summary>Fills the module; every tensor comes from the file and every tensor of the file is used.</summary>
    public static void LoadWeights(Module module, string folder, string? variant)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var file = new SafetensorsFile(Path.Combine(folder, FileName(variant)));
        var targets = module.state_dict();
        var problems = targets.Keys.Where(key => !file.Tensors.ContainsKey(key)).Select(key => $"{key} is missing")
            .Concat(file.Tensors.Keys.Where(key => !targets.ContainsKey(key)).Select(key => $"{key} is unexpected"))
            .Concat(file.Tensors.Where(stored => targets.TryGetValue(stored.Key, out var target) && !target.shape.SequenceEqual(stored.Value.Shape))
                .Select(stored => $"{stored.Key} is [{string.Join(", ", stored.Value.Shape)}] but [{string.Join(", ", targets[stored.Key].shape)}] was expected"))
            .Order(StringComparer.Ordinal).ToList();
        if (problems.Count > 0)
            throw new BrumaException($"{file.Origin}: does not fit {module.GetName()}: {string.Join("; ", problems.Take(8))}{(problems.Count > 8 ? $"; and {problems.Count - 8} more" : "")}.");
        foreach (var (key, target) in targets)
            target.copy_(file.Read(key, target.dtype));
    }

    public static void SaveWeights(Module module, string folder, ScalarType? dtype)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var tensors = module.state_dict().Select(pair => KeyValuePair.Create(pair.Key, dtype is { } type ? pair.Value.to(type) : pair.Value));
        SafetensorsFile.Write(Path.Combine(folder, FileName(null)), tensors, new Dictionary<string, string> { ["format"] = "pt" });
    }

    private static string FileName(string? variant) => variant is null ? "diffusion_pytorch_model.safetensors" : $"diffusion_pytorch_model.{variant}.safetensors";
}
