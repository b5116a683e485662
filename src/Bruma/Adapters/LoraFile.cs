using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Adapters;

/// <summary>The low-rank updates of a file, matched with the layers of a model. Every layout that is in use is read: diffusers (old and new), PEFT's folder, kohya for SD 1.x, 2.x and SDXL, LoCon, DoRA.</summary>
public sealed class LoraFile : IDisposable
{
    private LoraFile(string origin, IReadOnlyList<LoraUpdate> updates, IReadOnlyDictionary<string, string> metadata) => (Origin, Updates, Metadata) = (origin, updates, metadata);

    /// <summary>The file or folder.</summary>
    public string Origin { get; }

    /// <summary>One per changed layer; they belong to this object.</summary>
    public IReadOnlyList<LoraUpdate> Updates { get; }

    /// <summary>Text that the file carries, such as kohya's <c>ss_*</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <param name="path">A file, a folder of PEFT (<c>adapter_config.json</c>) or one with <c>pytorch_lora_weights.safetensors</c>, such as a run's <c>model</c>.</param>
    /// <param name="components">The model's networks by name: <c>unet</c>, <c>text_encoder</c>, <c>text_encoder_2</c>, or any other name for a network alone.</param>
    /// <param name="component">Which of them an adapter belongs to whose file does not say so; null for the first that has a layer of the name.</param>
    /// <exception cref="BrumaException">The file is damaged or of another kind, or has layers that the model has not; all are counted and some named.</exception>
    public static LoraFile Load(string path, IReadOnlyDictionary<string, Module> components, string? component = null)
    {
        var file = FindFile(path);
        using var source = CheckpointFile.Open(file);
        var config = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "adapter_config.json");
        var settings = Path.GetFileName(file).StartsWith("adapter_model.", StringComparison.Ordinal) && File.Exists(config) ? PeftSettings.FromFile(config) : null;
        if (component is not null)
            components = components.OrderBy(pair => pair.Key == component ? 0 : 1).ToDictionary();
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var updates = new LoraReading(source, components, settings).Updates();
        foreach (var update in updates)
            foreach (var tensor in new[] { update.Down, update.Up, update.Magnitude })
                tensor?.DetachFromDisposeScope();
        return new LoraFile(path, updates, source.Metadata);
    }

    public void Dispose()
    {
        foreach (var update in Updates)
            foreach (var tensor in new[] { update.Down, update.Up, update.Magnitude })
                tensor?.Dispose();
    }

    /// <summary>The file of weights that a path stands for.</summary>
    private static string FindFile(string path)
    {
        if (!Directory.Exists(path))
            return path;
        var names = new[] { "pytorch_lora_weights.safetensors", "adapter_model.safetensors", "pytorch_lora_weights.bin", "adapter_model.bin" };
        foreach (var folder in new[] { path, Path.Combine(path, "model") })
            if (Array.Find(names, name => File.Exists(Path.Combine(folder, name))) is { } found)
                return Path.Combine(folder, found);
        return Directory.GetFiles(path, "*.safetensors") is [var only]
            ? only
            : throw new BrumaException($"{path}: holds no LoRA (pytorch_lora_weights.safetensors, adapter_model.safetensors, or one .safetensors file); give the file itself.");
    }
}
