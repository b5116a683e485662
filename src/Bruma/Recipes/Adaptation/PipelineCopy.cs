using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>A base's folder with some of its weights replaced, in the type in which the base stores them.</summary>
internal static class PipelineCopy
{
    /// <param name="values">New weights: the component, a dot, the key.</param>
    public static void Write(BaseModel model, string folder, IReadOnlyDictionary<string, Tensor> values)
    {
        using var scope = NewDisposeScope();
        var changed = values.Keys.Select(name => name.Split('.')[0]).ToHashSet(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(model.Sources.Folder, "*.json").Where(file => Path.GetFileName(file) is HubFiles.Index or ModelDefaults.FileName))
            AtomicFile.Write(Path.Combine(folder, Path.GetFileName(file)), stream => stream.Write(model.Sources.Standalone(file)));
        foreach (var part in model.Sources.Parts.Where(part => Path.GetFileName(part) is not ("safety_checker" or "feature_extractor")))
            foreach (var file in Directory.EnumerateFiles(part).Where(file => !changed.Contains(Path.GetFileName(part)) || Path.GetExtension(file) == ".json" && !file.EndsWith(".index.json", StringComparison.Ordinal)))
                Copy(file, Path.Combine(folder, Path.GetFileName(part)));
        foreach (var part in changed)
            WriteWeights(model, part, Path.Combine(folder, part), values);
    }

    private static void WriteWeights(BaseModel model, string part, string folder, IReadOnlyDictionary<string, Tensor> values)
    {
        ScalarType type;
        using (var stored = ModelFolder.Open(model.Sources.PathOf(part), model.Sources.Variant))
            type = stored.Tensors.Values.Any(info => info.DType == "F32") ? float32 : stored.Tensors.Values.Any(info => info.DType == "BF16") ? bfloat16 : float16;
        var weights = model.Components[part].state_dict().Select(pair => KeyValuePair.Create(pair.Key, values.GetValueOrDefault($"{part}.{pair.Key}") ?? pair.Value));
        SafetensorsFile.Write(Path.Combine(folder, part == "unet" ? "diffusion_pytorch_model.safetensors" : "model.safetensors"), weights, new Dictionary<string, string> { ["format"] = "pt" }, type);
    }

    private static void Copy(string file, string folder)
    {
        Directory.CreateDirectory(folder);
        File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
    }
}
