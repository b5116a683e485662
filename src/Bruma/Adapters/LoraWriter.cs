using System.Text.Json;
using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Adapters;

/// <summary>Writes updates in the layouts that other programs read. Equal updates and metadata give equal bytes.</summary>
public static class LoraWriter
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The file of diffusers, <c>pytorch_lora_weights.safetensors</c>: PEFT's keys with the component in front, alpha in the metadata.</summary>
    /// <param name="floats">Type of the values; null for their own.</param>
    public static void WriteDiffusers(string path, IReadOnlyList<LoraUpdate> updates, IReadOnlyDictionary<string, string>? metadata = null, ScalarType? floats = null)
    {
        using var scope = NewDisposeScope();
        var notes = new SortedDictionary<string, string>(new Dictionary<string, string>(metadata ?? new Dictionary<string, string>()) { ["format"] = "pt" }, StringComparer.Ordinal);
        var (key, text) = PeftSettings.ToMetadata(updates.GroupBy(update => update.Component).SelectMany(part => Settings([.. part]).Select(setting => KeyValuePair.Create($"{part.Key}.{setting.Key}", setting.Value))));
        notes[key] = text;
        SafetensorsFile.Write(path, Sorted(updates.SelectMany(update => Tensors(update, $"{update.Component}."))), notes, floats);
    }

    /// <summary>The folder of PEFT for one network: <c>adapter_model.safetensors</c> and <c>adapter_config.json</c>.</summary>
    /// <param name="settings">Further keys of the config, such as <c>task_type</c> and <c>base_model_name_or_path</c>.</param>
    public static void WritePeft(string folder, IReadOnlyList<LoraUpdate> updates, IReadOnlyDictionary<string, object?>? settings = null)
    {
        using var scope = NewDisposeScope();
        var config = new SortedDictionary<string, object?>(StringComparer.Ordinal) { ["base_model_name_or_path"] = null, ["task_type"] = null, ["inference_mode"] = true };
        foreach (var (key, value) in Settings(updates).Select(pair => KeyValuePair.Create(pair.Key, (object?)pair.Value)).Concat(settings ?? new Dictionary<string, object?>()))
            config[key] = value;
        SafetensorsFile.Write(Path.Combine(folder, "adapter_model.safetensors"), Sorted(updates.SelectMany(update => Tensors(update, "base_model.model."))), new Dictionary<string, string> { ["format"] = "pt" });
        AtomicFile.WriteText(Path.Combine(folder, "adapter_config.json"), JsonSerializer.Serialize(config, Indented) + "\n");
    }

    /// <summary>The file of kohya's scripts, which A1111, ComfyUI and stable-diffusion.cpp read: names with underscores, an alpha per layer.</summary>
    /// <param name="metadata">kohya's <c>ss_*</c>.</param>
    public static void WriteKohya(string path, IReadOnlyList<LoraUpdate> updates, IReadOnlyDictionary<string, string>? metadata = null, ScalarType? floats = null)
    {
        using var scope = NewDisposeScope();
        var isSdxl = updates.Any(update => update.Component == "text_encoder_2") || metadata?.GetValueOrDefault("ss_base_model_version")?.StartsWith("sdxl", StringComparison.Ordinal) == true;
        var tensors = new List<KeyValuePair<string, Tensor>>();
        foreach (var update in updates)
        {
            var name = LoraNames.Kohya(update.Component, update.Layer, isSdxl);
            tensors.Add(new($"{name}.lora_down.weight", update.Down));
            tensors.Add(new($"{name}.lora_up.weight", update.Up));
            tensors.Add(new($"{name}.alpha", tensor((float)(update.Scale * update.Rank))));
            if (update.Magnitude is { } magnitude)
                tensors.Add(new($"{name}.dora_scale", magnitude));
        }
        SafetensorsFile.Write(path, Sorted(tensors), metadata, floats);
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Tensors(LoraUpdate update, string prefix)
    {
        yield return new($"{prefix}{update.Layer}.lora_A.weight", update.Down);
        yield return new($"{prefix}{update.Layer}.lora_B.weight", update.Up);
        if (update.Magnitude is { } magnitude)
            yield return new($"{prefix}{update.Layer}.lora_magnitude_vector", magnitude.dim() > 2 ? magnitude.view(1, -1, 1, 1) : magnitude.flatten());
    }

    /// <summary>PEFT's settings of one component. Ranks and alphas that differ from the first layer's become patterns.</summary>
    private static IEnumerable<KeyValuePair<string, object>> Settings(IReadOnlyList<LoraUpdate> updates)
    {
        var (rank, alpha) = (updates[0].Rank, Alpha(updates[0]));
        yield return new("peft_type", "LORA");
        yield return new("r", rank);
        yield return new("lora_alpha", alpha);
        yield return new("target_modules", updates.Select(update => update.Layer).Order(StringComparer.Ordinal).ToArray());
        yield return new("bias", "none");
        yield return new("lora_dropout", 0.0);
        yield return new("use_dora", updates.Any(update => update.Magnitude is not null));
        yield return new("use_rslora", false);
        yield return new("rank_pattern", updates.Where(update => update.Rank != rank).ToDictionary(update => update.Layer, update => update.Rank));
        yield return new("alpha_pattern", updates.Where(update => Alpha(update) != alpha).ToDictionary(update => update.Layer, update => Alpha(update)));
    }

    private static double Alpha(LoraUpdate update) => Math.Round(update.Scale * update.Rank, 9);

    private static IEnumerable<KeyValuePair<string, Tensor>> Sorted(IEnumerable<KeyValuePair<string, Tensor>> tensors) => tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal);
}
