using System.Globalization;
using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Text;

namespace Bruma.Cli.Generation;

/// <summary>Finds adapters: a run, a file, a model beside the program named <c>NAME-lora</c>, or a file in <c>--lora-model-dir</c>.</summary>
internal static class AdapterPath
{
    private static readonly string[] Extensions = [".safetensors", ".pt", ".bin", ".ckpt"];

    /// <summary>Those of the flags, then those of the prompt.</summary>
    public static IReadOnlyList<NamedFile> All(IEnumerable<string> flags, IEnumerable<PromptAdapter> prompted, string? folder)
    {
        var asked = flags.Select(Split).Concat(prompted.Select(adapter => (adapter.Name, adapter.Weight)));
        return [.. asked.Select(adapter => new NamedFile(adapter.Name, Find(adapter.Name, folder), Weight: adapter.Weight))];
    }

    /// <summary>FILE or FILE=WORD.</summary>
    public static (string Path, string? Word) Embedding(string text)
    {
        var at = text.LastIndexOf('=');
        var (path, word) = at > 0 && !File.Exists(text) ? (text[..at], text[(at + 1)..]) : (text, null);
        return File.Exists(path) || Directory.Exists(path) ? (path, word) : throw new BrumaException($"{path}: no such embedding; give a file or a run to --embedding.");
    }

    /// <summary>NAME or NAME:WEIGHT.</summary>
    private static (string Name, double Weight) Split(string text)
    {
        var at = text.LastIndexOf(':');
        return at > 0 && double.TryParse(text.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var weight) ? (text[..at], weight) : (text, 1);
    }

    private static string Find(string name, string? folder)
    {
        if (File.Exists(name) || Directory.Exists(name))
            return name;
        if (InstalledModels.Find($"{name}-lora") is { } installed)
            return installed;
        foreach (var root in InstalledModels.Roots)
            if (Directory.Exists(Path.Combine(root, $"{name}-lora")))
                return Path.Combine(root, $"{name}-lora");
        if (folder is not null && Extensions.Prepend("").Select(extension => Path.Combine(folder, name + extension)).FirstOrDefault(path => File.Exists(path) || Directory.Exists(path)) is { } found)
            return found;
        throw new BrumaException($"{name}: no such adapter; give a run, a file{(folder is null ? " or --lora-model-dir" : $" or a name of {folder}")}.");
    }
}
