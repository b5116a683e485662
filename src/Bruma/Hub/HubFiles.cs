using System.Text.Json;
using System.Text.RegularExpressions;

namespace Bruma.Hub;

/// <summary>Which files of a repository a model needs: each part's config, vocabulary and weights, and those in one format only.</summary>
internal static partial class HubFiles
{
    public const string Index = "model_index.json";

    /// <summary>Parts of pipelines that Bruma does not use.</summary>
    private static readonly HashSet<string> Unused = new(StringComparer.Ordinal) { "safety_checker", "feature_extractor", "image_encoder", "watermarker" };

    private static readonly string[] Stems = ["diffusion_pytorch_model", "model", "pytorch_model", "adapter_model", "pytorch_lora_weights", "learned_embeds"];

    private static readonly HashSet<string> Small = new(StringComparer.Ordinal)
    {
        "config.json", "scheduler_config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt",
        "spiece.model", "tokenizer.model", "preprocessor_config.json", "adapter_config.json", "modules.json", "sentence_bert_config.json", "bruma.json", Index,
    };

    /// <param name="files">All files of the repository.</param>
    /// <param name="index">Text of <c>model_index.json</c>; null when there is none.</param>
    /// <param name="variant">For example <c>fp16</c>; null for the plain weights where there are any.</param>
    public static IReadOnlyList<string> Needed(IReadOnlyList<string> files, string? index, string? variant = null)
    {
        var folders = index is null ? [""] : (string[])["", .. Parts(index)];
        var needed = folders.SelectMany(folder => InFolder([.. files.Where(file => FolderOf(file) == folder)], variant, isPart: folder.Length > 0 || index is null)).ToList();
        if (index is null)
            needed.AddRange(files.Where(file => file is "1_Pooling/config.json")); // sentence-transformers
        return needed.Exists(file => !IsSmall(file)) ? needed : [.. needed, .. Single(files)];
    }

    /// <summary>Whether the files that are there make up a model.</summary>
    public static bool IsWhole(string folder)
    {
        if (!Directory.Exists(folder))
            return false;
        var index = Path.Combine(folder, Index);
        var parts = File.Exists(index) ? Parts(File.ReadAllText(index)) : [""];
        return parts.Select(part => Path.Combine(folder, part)).All(part => Directory.Exists(part) && (HasAllWeights(part) || part != folder && HasNoWeightsByNature(part)));
    }

    private static IEnumerable<string> Parts(string index)
    {
        try
        {
            using var json = JsonDocument.Parse(index);
            return [.. json.RootElement.EnumerateObject()
                .Where(part => part.Value is { ValueKind: JsonValueKind.Array } pair && pair.GetArrayLength() == 2 && pair[1].ValueKind == JsonValueKind.String && !Unused.Contains(part.Name))
                .Select(part => part.Name)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new BrumaException($"{Index}: not the list of a pipeline's parts ({e.Message.Split('.')[0]}).", e);
        }
    }

    private static IEnumerable<string> InFolder(List<string> files, string? variant, bool isPart)
    {
        var small = files.Where(IsSmall);
        if (!isPart)
            return small;
        var weights = files.Select(file => (file, match: WeightName().Match(Path.GetFileName(file))))
            .Where(entry => entry.match.Success && Stems.Contains(entry.match.Groups["stem"].Value))
            .GroupBy(entry => (Stem: entry.match.Groups["stem"].Value, Extension: entry.match.Groups["extension"].Value, Variant: entry.match.Groups["variant"].Value))
            .OrderBy(group => group.Key.Extension == "safetensors" ? 0 : 1)
            .ThenBy(group => group.Key.Variant == (variant ?? "") ? 0 : group.Key.Variant == "fp16" ? 1 : 2)
            .ThenBy(group => Array.IndexOf(Stems, group.Key.Stem));
        return small.Concat(weights.FirstOrDefault()?.Select(entry => entry.file) ?? []);
    }

    /// <summary>A repository of one checkpoint or adapter in the original layout; of several, the pruned or smallest name is nobody's business to guess.</summary>
    private static IEnumerable<string> Single(IReadOnlyList<string> files) =>
        files.Where(file => FolderOf(file).Length == 0 && file.EndsWith(".safetensors", StringComparison.Ordinal)).ToList() is [var only] ? [only] : [];

    private static bool HasAllWeights(string folder)
    {
        if (!ModelFolder.HasWeights(folder))
            return Directory.GetFiles(folder, "*.safetensors").Length > 0;
        try
        {
            using var weights = ModelFolder.Open(folder);
            return true;
        }
        catch (BrumaException)
        {
            return false; // a part of a sharded checkpoint is missing
        }
    }

    private static bool HasNoWeightsByNature(string part) => Path.GetFileName(part) is { } name && (name.StartsWith("tokenizer", StringComparison.Ordinal) || name == "scheduler") && Directory.EnumerateFiles(part).Any();

    private static bool IsSmall(string file) => Small.Contains(Path.GetFileName(file));

    private static string FolderOf(string file) => file.Contains('/', StringComparison.Ordinal) ? file[..file.LastIndexOf('/')] : "";

    /// <summary>A file of weights, a part of one, or its index: the libraries have put the variant at different places.</summary>
    [GeneratedRegex(@"^(?<stem>[A-Za-z_]+)(-\d+-of-\d+)?(\.(?!safetensors|bin)(?<variant>\w+?)(-\d+-of-\d+)?)?\.(?<extension>safetensors|bin)((\.(?!index)(?<variant>\w+))?\.index(\.(?!json)(?<variant>\w+))?\.json)?$")]
    private static partial Regex WeightName();
}
